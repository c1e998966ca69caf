/** What the map shows, as plain data in units of the map ("pixels" at scale 1). */

export type Overlay = 'wiring' | 'services' | 'ingress' | 'policy';
export const kOverlays: readonly Overlay[] = ['wiring', 'services', 'ingress', 'policy'];

export interface Box {
  id: string;
  kind: 'node' | 'pod' | 'chip' | 'service' | 'ingress' | 'outside' | 'router' | 'fabric' | 'device' | 'tunnel' | 'tray';
  x: number;
  y: number;
  w: number;
  h: number;
  title: string;
  sub: string;
  /** The thing that it is a part of: who clicks on it means that. */
  of?: string;
  /** In a node, the height at which its pods' veths end. */
  rail?: number;
  /** What is only legible from near: the third line. */
  detail?: string;
  /** The node's end of a pod's veth. */
  link?: string;
  state?: 'ready' | 'starting' | 'failing' | 'ending' | 'done';
  /** Among the pods of its node, or in its rail, from above. */
  row?: number;
  /** In a rail, the x beside it where its lines pass by other rows. */
  lane?: number;
  /** Policies isolate it: against what comes in, what goes out, or both. */
  isolated?: 'in' | 'out' | 'both';
}

export type LineKind =
  | 'wire'
  | 'tunnel'
  | 'service'
  | 'unready'
  | 'ingress'
  | 'allowed'
  | 'denied'
  | 'drop';

export interface Line {
  kind: LineKind;
  /** Ids of the boxes that it joins. */
  from: string;
  to: string;
  points: readonly (readonly [number, number])[];
  /** The last part is a curve with these as control points. */
  curve?: readonly [readonly [number, number], readonly [number, number]];
  /** The key of its count: "SERVICE>ENDPOINT". */
  count?: string;
  /** What it says beside its middle: the port that a verdict is about, ":80". */
  label?: string;
}

/** What a row of boxes is. */
export interface Caption {
  x: number;
  y: number;
  text: string;
}

export interface Scene {
  captions: Caption[];
  boxes: Box[];
  lines: Line[];
  byId: Map<string, Box>;
  width: number;
  height: number;
}

export const emptyScene: Scene = {
  captions: [],
  boxes: [], lines: [], byId: new Map(), width: 0, height: 0 };
