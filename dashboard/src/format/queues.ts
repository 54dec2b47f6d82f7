/**
 * Recognises what clients wait for by the names of its znodes: locks, elections, read/write locks, semaphores and queues in the layouts of Curator, kazoo
 * and zooid/client, whose recipes share those of the first two. Sources: Curator's LockInternals, LeaderLatch, InterProcessReadWriteLock,
 * InterProcessSemaphoreV2 and SimpleDistributedQueue; kazoo's recipe/lock.py, which has its semaphores too, and recipe/queue.py; `client/recipes/`.
 */

/** A child of a parent that is looked at. */
export type Seen<Stat> = { readonly name: string; readonly stat: Stat };

export type Kind = "lock" | "election" | "readWriteLock" | "semaphore" | "queue";

/** What a name says before its number. Several layouts have some of them. */
type Marker = {
  readonly marker: string;
  readonly kind: Kind;
  readonly layout: string;
  readonly role: "writer" | "reader" | "member";
};

/** A longer marker stands before one that is its end. */
const MARKERS: readonly Marker[] = [
  { marker: "__rlock__", kind: "readWriteLock", layout: "kazoo", role: "reader" },
  // Also that of its writers and elections.
  { marker: "__lock__", kind: "lock", layout: "kazoo", role: "writer" },
  { marker: "__READ__", kind: "readWriteLock", layout: "Curator", role: "reader" },
  { marker: "__WRIT__", kind: "readWriteLock", layout: "Curator", role: "writer" },
  { marker: "latch-", kind: "election", layout: "Curator", role: "member" },
  { marker: "lease-", kind: "semaphore", layout: "Curator", role: "member" },
  // Also that of its elections.
  { marker: "lock-", kind: "lock", layout: "Curator", role: "writer" },
];

/** A number of 32 bits as the server writes it behind a name. */
const NUMBER = "(?<number>\\d{10}|-\\d{9,10})";
const GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
/** `_c_<guid>-lock-0000000001`, that of Go's client, whose guid has no hyphens, without protection `lock-0000000001`, kazoo's `<hex>__lock__0000000001`. */
const MEMBER = new RegExp(
  `^(?:_c_(?:${GUID}|[0-9a-f]{32})-|(?:${GUID}|[0-9a-f]{32})(?=__))?(?<marker>${MARKERS.map(({ marker }) => marker).join("|")})${NUMBER}$`,
);
/** kazoo's Queue and LockingQueue, Curator's queues, and zooid's, whose priority is the first. */
const ITEMS: readonly (readonly [layout: string, pattern: RegExp])[] = [
  ["kazoo", new RegExp(`^entry-(?<priority>\\d{3})-${NUMBER}$`)],
  ["Curator", new RegExp(`^(?:qn-|queue-)(?:[0-9a-f]{8})?${NUMBER}$`)],
  ["zooid", new RegExp(`^(?<priority>\\d{3})-${GUID}-${NUMBER}$`)],
];

export type Member<Stat> = Seen<Stat> & {
  readonly role: Marker["role"] | "item";
  /** `has`: it has what it came for. `may`: that depends on how many may, which no znode says. */
  readonly state: "has" | "waits" | "may";
};

export type Recognised<Stat> = {
  readonly kind: Kind;
  /** Whose names they are. zooid/client has those of Curator and kazoo as well. */
  readonly layout: string;
  /** In the order in which they came, or are taken out. */
  readonly members: readonly Member<Stat>[];
  /** How many children beside them are no members. */
  readonly others: number;
};

type Parsed<Stat> = Seen<Stat> & Pick<Marker, "kind" | "layout" | "role"> & { sequence: number };

/** Undefined: the children of this znode are not those of anything that is known. */
export function recognise<Stat>(children: readonly Seen<Stat>[]): Recognised<Stat> | undefined {
  const parsed = children.flatMap((child) => parse(child) ?? []);
  const others = children.length - parsed.length;
  const [first] = parsed;
  if (first === undefined) return queueOf(children);
  const members = parsed.toSorted((left, right) => (left.sequence - right.sequence) | 0);
  const kind = members.some(({ role }) => role === "reader")
    ? "readWriteLock"
    : (members.find((each) => each.kind !== "lock")?.kind ?? "lock");
  const layouts = [...new Set(members.map(({ layout }) => layout))];
  return {
    ...{ kind, layout: layouts.join(", "), others },
    members: members.map(({ name, stat, role }, index) => ({
      ...{ name, stat, role },
      state: stateOf(kind, members, index),
    })),
  };
}

function parse<Stat>(child: Seen<Stat>): Parsed<Stat> | undefined {
  const groups = MEMBER.exec(child.name)?.groups;
  const known = MARKERS.find(({ marker }) => marker === groups?.["marker"]);
  if (known === undefined) return undefined;
  const { kind, layout, role } = known;
  return { ...child, kind, layout, role, sequence: Number(groups?.["number"]) };
}

function stateOf(
  kind: Kind,
  members: readonly Pick<Marker, "role">[],
  index: number,
): Member<unknown>["state"] {
  // Its leases are held from when they are there; one more may wait for another to be given back.
  if (kind === "semaphore") return index === members.length - 1 && index > 0 ? "may" : "has";
  if (index === 0) return "has";
  const before = members.slice(0, index + 1);
  const areReaders = before.every(({ role }) => role === "reader");
  return kind === "readWriteLock" && areReaders ? "has" : "waits";
}

/** Items wait to be taken. One of zooid's that has a child is taken; the others say that elsewhere. */
function queueOf<Stat>(children: readonly Seen<Stat>[]): Recognised<Stat> | undefined {
  for (const [layout, pattern] of ITEMS) {
    const items = children.flatMap((child) => {
      const groups = pattern.exec(child.name)?.groups;
      if (groups === undefined) return [];
      const priority = Number(groups["priority"] ?? 0);
      return [{ child, priority, sequence: Number(groups["number"]) }];
    });
    if (items.length === 0) continue;
    items.sort((a, b) => a.priority - b.priority || (a.sequence - b.sequence) | 0);
    const members = items.map(({ child: { name, stat } }): Member<Stat> => {
      const isTaken = layout === "zooid" && (stat as Partial<Children>).numChildren !== 0;
      return { name, stat, role: "item", state: isTaken ? "has" : "waits" };
    });
    return { kind: "queue", layout, members, others: children.length - items.length };
  }
  return undefined;
}

type Children = { readonly numChildren: number };

/** `uuid4().hex` of Python. Other recipes' names have something around it, kazoo's parties among them. */
const LEASE = /^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/;
const LEASES_MAX = 1_000_000;

type Owned = { readonly ephemeralOwner: string | null };

/** Whether the children may be the leases of a semaphore of kazoo's. Their parent's value says so: how many there may be. */
export function mayBeLeases(children: readonly Seen<Owned>[]): boolean {
  const isLease = ({ name, stat }: Seen<Owned>): boolean =>
    LEASE.test(name) && stat.ephemeralOwner !== null;
  return children.length > 0 && children.every(isLease);
}

/** How many may have a lease, by the value of the semaphore's znode. Undefined: it is none, since more have one, or it says no number. */
export function leasesIn(value: string | null, taken: number): number | undefined {
  const leases = /^\d{1,7}$/.test(value ?? "") ? Number(value) : 0;
  return leases >= Math.max(taken, 1) && leases <= LEASES_MAX ? leases : undefined;
}

/** Where those stand in line who wait for a lease of the semaphore: in a lock of kazoo's. Whoever has that takes the next lease that is free. */
export function waitingAt(path: string): string {
  return `${path}-__lock__`;
}

type Made = { readonly czxid: string };

/** Leases in the order in which they were taken, and behind them those who wait, as `recognise` knows them. */
export function semaphoreOf<Stat extends Made>(
  leases: readonly Seen<Stat>[],
  waiting: readonly Member<Stat>[],
): Recognised<Stat> {
  const taken = leases.toSorted(
    (left, right) => Number(left.stat.czxid) - Number(right.stat.czxid),
  );
  const members = [
    ...taken.map((lease): Member<Stat> => ({ ...lease, role: "member", state: "has" })),
    ...waiting.map((member): Member<Stat> => ({ ...member, role: "member", state: "waits" })),
  ];
  return { kind: "semaphore", layout: "kazoo", members, others: 0 };
}

/** Whether znodes of the name may have children that are recognised: those of a queue, a lock or a semaphore themselves have none. */
export function mayBeAbove(name: string): boolean {
  return !MEMBER.test(name) && !ITEMS.some(([, pattern]) => pattern.test(name));
}
