/** Sizes of what the map is made of, in its own units. */
export const kPod = { w: 196, h: 48, gap: 16, bus: 22 };
export const kNode = { pad: 14, head: 54, rail: 26, chip: 20, gapX: 56, gapY: 40, devices: 34 };
/** A link of a node. */
export const kDevice = { h: 20, eth0: 60, tunnel: 140 };
export const kRail = { w: 200, h: 58, gapX: 24, gapY: 16, caption: 16 };
/** Between the rails and the nodes: lines turn there. */
export const kBand = 46;
export const kFabric = { h: 24, gap: 34 };
/** Above the fabric: the tunnel that leads through it. */
export const kTunnelBar = { h: 24, gap: 14 };
export const kOutside = { w: 180, h: 44, gap: 60 };
/** Below all: what is on no node. */
export const kTray = { head: 54, gap: 22 };
export const kMargin = 24;
export const kNarrowest = 760;

/** Pods of a node stand in so many columns: a step function, so that it rarely changes. */
export function columnsFor(pods: number): number {
  if (pods <= 5) return 1;
  if (pods <= 12) return 2;
  if (pods <= 24) return 3;
  if (pods <= 48) return 4;
  return Math.ceil(Math.sqrt(pods / 2.6));
}

export function nodeColumns(nodes: number): number {
  if (nodes <= 4) return Math.max(nodes, 1);
  return nodes <= 6 ? 3 : nodes <= 12 ? 4 : 5;
}
