// Behind a login link: keeps the session's key where no other origin can read it, then opens the
// page. The key travels in a header that therefore nobody else can send; the cookie alone, which
// the browser shows to every port of this machine, opens nothing.
import { KEY } from './key';

const key = document.querySelector<HTMLMetaElement>('meta[name=kin-key]')?.content ?? '';
localStorage.setItem(KEY, key);
location.replace('/');
