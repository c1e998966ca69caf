/** Colours of the map. Okabe and Ito's, which those who confuse red and green tell apart; no
 * meaning is in a colour alone. Texts have a contrast of 4.5 at least on what they stand on. */
export interface Theme {
  dark: boolean;
  ground: string;
  node: string;
  nodeEdge: string;
  box: string;
  edge: string;
  text: string;
  muted: string;
  wire: string;
  service: string;
  serviceBox: string;
  ingress: string;
  ingressBox: string;
  allowed: string;
  denied: string;
  ready: string;
  starting: string;
  failing: string;
  focus: string;
  pulse: string;
}

export const light: Theme = {
  dark: false,
  ground: '#f4f6f9',
  node: '#ffffff',
  nodeEdge: '#b9c3cf',
  box: '#f7f9fb',
  edge: '#9fabb9',
  text: '#16202c',
  muted: '#50606f',
  wire: '#93a1b0',
  service: '#0072b2',
  serviceBox: '#e3f0fa',
  ingress: '#8a4a7d',
  ingressBox: '#f7e8f2',
  allowed: '#00734f',
  denied: '#c04a00',
  ready: '#00805a',
  starting: '#b27a00',
  failing: '#c04a00',
  focus: '#0072b2',
  pulse: '#e69f00',
};

export const dark: Theme = {
  dark: true,
  ground: '#0f1419',
  node: '#171e26',
  nodeEdge: '#3a4754',
  box: '#1f2832',
  edge: '#4d5c6b',
  text: '#eaf0f6',
  muted: '#a3b1bf',
  wire: '#5b6b7b',
  service: '#56b4e9',
  serviceBox: '#10283a',
  ingress: '#d99bc4',
  ingressBox: '#33202d',
  allowed: '#2fc091',
  denied: '#ff8a47',
  ready: '#2fc091',
  starting: '#f0c04a',
  failing: '#ff8a47',
  focus: '#56b4e9',
  pulse: '#f0c04a',
};
