// The transport lab.

import { useThemeButton } from '../shared/theme.js';

useThemeButton(document.getElementById('theme'));
