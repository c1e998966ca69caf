/** Where the session's key lies in localStorage, which is this origin's own. */
export const KEY = 'kin-key';
