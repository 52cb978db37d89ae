// The console: the bar on top, the token, and the view that the address names.

import { useThemeButton } from '../shared/theme.js';
import { live } from './live.js';
import { startRouter } from './router.js';
import { useStateLine } from './state_line.js';
import { useTokenDialog } from './token_dialog.js';
import { connectionsView } from './view_connections.js';
import { overviewView } from './view_overview.js';
import { topicView } from './view_topic.js';
import { topicsView } from './view_topics.js';

useThemeButton(document.getElementById('theme'));
useStateLine(document.getElementById('state'));
useTokenDialog(document.getElementById('token'), document.getElementById('token-dialog'));
addEventListener('tokenchange', () => live.start());
live.start();
startRouter(document.getElementById('main'), {
  '': overviewView,
  topics: topicsView,
  'topics/': topicView,
  connections: connectionsView,
});
