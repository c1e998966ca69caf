import type { Counts, Drop, Kind, Lab, Thing } from './things';

type Message =
  | ({ type: 'snapshot'; things: Thing[] } & Lab)
  | { type: 'delta'; set: Thing[]; gone: string[] }
  | { type: 'tick'; counts?: Counts; drops: Drop[] };

export const kMostDrops = 200;

/** The lab as the page knows it: things by id, what the kernel counted, what was dropped. */
export class World {
  lab: Lab | null = null;
  /** The lab runs another kin now than the one that this page is of. */
  outdated = false;
  readonly things = new Map<string, Thing>();
  counts: Counts = {};
  drops: Drop[] = [];
  /** The drops that the last tick told of, if they have happened just now. */
  news: Drop[] = [];
  /** When a thing was last seen to change, in milliseconds of the page's clock. */
  readonly changed = new Map<string, number>();
  /** When an endpoint's count last went up: "SERVICE>ENDPOINT". */
  readonly counted = new Map<string, number>();
  /** The first drops and counts behind a snapshot are those of before; only what follows is news. */
  private readonly caughtUp = { drops: false, counts: false };

  /** Takes a message of the stream. True if things came, went or changed. */
  take(message: Message, now: number): boolean {
    if (message.type === 'tick') {
      this.takeTick(message.counts, message.drops, now);
      return false;
    }
    if (message.type === 'snapshot') {
      const { type: _, things, ...lab } = message;
      const known = this.lab !== null;
      this.outdated ||= this.lab !== null && this.lab.version !== lab.version;
      this.lab = lab;
      this.caughtUp.drops = this.caughtUp.counts = false;
      this.drops = []; // The tick behind it has them, by the numbers of the lab as it runs now.
      const there = new Set(things.map((thing) => thing.id));
      for (const id of [...this.things.keys()]) if (!there.has(id)) this.remove(id);
      for (const thing of things) this.put(thing, known ? now : null);
      return true;
    }
    for (const thing of message.set) this.put(thing, now);
    for (const id of message.gone) this.remove(id);
    return true;
  }

  private put(thing: Thing, now: number | null) {
    const before = this.things.get(thing.id);
    const same = before && JSON.stringify(before) === JSON.stringify(thing);
    if (!same && now !== null) this.changed.set(thing.id, now);
    this.things.set(thing.id, thing);
  }

  private remove(id: string) {
    this.things.delete(id);
    this.changed.delete(id);
  }

  private takeTick(counts: Counts | undefined, drops: Drop[], now: number) {
    this.news = this.caughtUp.drops ? drops : [];
    this.caughtUp.drops = true;
    if (drops.length > 0) this.takeDrops(drops);
    if (counts) this.takeCounts(counts, now);
  }

  private takeCounts(counts: Counts, now: number) {
    const before = new Map(this.counted);
    this.counted.clear();
    for (const [service, endpoints] of Object.entries(counts)) {
      for (const [endpoint, count] of Object.entries(endpoints)) {
        const key = `${service}>${endpoint}`;
        const grown = this.caughtUp.counts && count > (this.counts[service]?.[endpoint] ?? 0);
        const at = grown ? now : before.get(key);
        if (at !== undefined) this.counted.set(key, at);
      }
    }
    this.counts = counts;
    this.caughtUp.counts = true;
  }

  /** A drop that was repeated comes again, with its number. */
  private takeDrops(drops: Drop[]) {
    const byNumber = new Map(this.drops.map((drop) => [drop.number, drop]));
    for (const drop of drops) byNumber.set(drop.number, drop);
    this.drops = [...byNumber.values()].sort((a, b) => a.number - b.number).slice(-kMostDrops);
  }

  of<K extends Kind>(kind: K): Extract<Thing, { kind: K }>[] {
    const out: Extract<Thing, { kind: K }>[] = [];
    for (const thing of this.things.values())
      if (thing.kind === kind) out.push(thing as Extract<Thing, { kind: K }>);
    return out;
  }

  namespaces(): string[] {
    const out = new Set<string>();
    for (const thing of this.things.values()) if (thing.ns) out.add(thing.ns);
    return [...out].sort();
  }

  /** "pod shop/web-0" of a dropped packet, or an address, as the id of a thing on the map. */
  placeOf(text: string): string | null {
    const id = text.startsWith('pod ') ? `pod/${text.slice(4)}` : `host/${text}`;
    if (this.things.has(id)) return id;
    for (const host of this.of('host')) if (host.ip === text) return host.id;
    return null;
  }
}
