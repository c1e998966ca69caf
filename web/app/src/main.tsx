import { render } from 'preact';
import './style.css';
import { announce } from './model/announce';
import { follow } from './model/live';
import { followReach } from './model/reach';
import { listenToKeys } from './shell/keys';
import { Shell } from './shell/Shell';
import { followHash } from './state';

followHash();
followReach();
announce();
listenToKeys();
render(<Shell />, document.getElementById('app')!);
void follow();
