// The console.

import { useThemeButton } from '../shared/theme.js';

useThemeButton(document.getElementById('theme'));
