/** The rehearsal: what a migration would copy, what it would leave, and what would be in its way. It writes nothing. */
import { CONTAINER } from "../../protocol/lifetime.ts";
import { OWN_SCHEMES } from "./schemes.ts";
import { type DifferenceKind, differencesOf, type Pair, stepsFor } from "./difference.ts";
import type { Mirror } from "./mirror.ts";
import { quotaDifferences, quotasOf } from "./quotas.ts";
import { createsOf, isEphemeral, lasting, type Znode } from "./znode.ts";
import { walkBoth } from "./walk.ts";

/** Distinct identities that are counted, and paths that are named as examples. */
const IDENTITIES_MAX = 10_000;
const EXAMPLES_MAX = 5;

export type Rehearsal = {
  znodes: number;
  bytes: number;
  /** They are left to their clients. */
  ephemerals: number;
  containers: number;
  ttls: number;
  /** Znodes of which nobody tells whether they are containers or have a TTL. */
  lifetimesUnknown: number;
  /** Entries of access control lists, by scheme. */
  schemes: Record<string, number>;
  identities: number;
  /** Schemes that servers know only by a plugin. */
  unknownSchemes: readonly string[];
  /** Parents whose next sequential child has another number than 0. */
  counters: number;
  /** How often children will be made and deleted to raise counters, about. */
  raises: number;
  /** How often data will be set to raise versions. */
  sets: number;
  quotas: number;
  /** Znodes of the target that the source has, too, and topmost ones that it has not. */
  present: number;
  extras: number;
  /** How many znodes differ, by kind. */
  differences: Partial<Record<DifferenceKind, number>>;
  /** Some of the paths, by kind. */
  examples: Partial<Record<DifferenceKind, readonly string[]>>;
  sourceZxid: string;
  targetZxid: string;
};

export async function rehearse(
  mirror: Mirror,
  {
    withoutOwn,
    withQuotas,
    onProgress,
  }: {
    readonly withoutOwn: boolean;
    readonly withQuotas: boolean;
    readonly onProgress: (znodes: number) => void;
  },
): Promise<Rehearsal> {
  const tally = new Tally(mirror);
  for await (const { pairs, extras } of walkBoth(mirror, { isEmpty: false, withoutOwn })) {
    for (const pair of pairs) tally.add(pair);
    for (const { path } of extras) tally.extra(path);
    onProgress(tally.znodes);
  }
  if (withQuotas) await tally.quotas();
  return tally.result();
}

class Tally {
  readonly #mirror: Mirror;
  readonly #result: Rehearsal;
  readonly #identities = new Set<string>();
  readonly #examples = new Map<DifferenceKind, string[]>();
  #creates = 0;
  #createsThere = 0;

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
    this.#result = {
      ...{ znodes: 0, bytes: 0, ephemerals: 0, containers: 0, ttls: 0, lifetimesUnknown: 0 },
      ...{ schemes: {}, identities: 0, unknownSchemes: [], counters: 0, raises: 0 },
      ...{
        sets: 0,
        quotas: 0,
        present: 0,
        extras: 0,
        differences: {},
        examples: {},
        sourceZxid: "",
        targetZxid: "",
      },
    };
  }

  get znodes(): number {
    return this.#result.znodes;
  }

  add(pair: Pair): void {
    const { path, source, target } = pair;
    const result = this.#result;
    const from = lasting(source);
    const to = lasting(target);
    if (to !== undefined) this.#createsThere += createsOf(to.stat);
    if (to !== undefined && path !== "/") result.present += 1;
    if (from !== undefined) this.#source(from);
    else if (source.kind === "found" && isEphemeral(source.znode.stat)) result.ephemerals += 1;
    result.sets += Math.max(0, (from?.stat.version ?? 0) - (to?.stat.version ?? 0));
    for (const { kind } of differencesOf(pair)) this.#differs(kind, path);
    const isTooLarge = this.#mirror.isTooLarge(stepsFor(pair));
    if (isTooLarge) this.#differs("tooLarge", path);
  }

  extra(path: string): void {
    this.#result.extras += 1;
    this.#differs("extra", path);
  }

  async quotas(): Promise<void> {
    const { source, target, signal } = this.#mirror;
    const from = await quotasOf(source.client, signal);
    const to = await quotasOf(target.client, signal);
    this.#result.quotas = from.size;
    for (const { path } of quotaDifferences(from, to, false)) this.#differs("quota", path);
  }

  result(): Rehearsal {
    const { source, target } = this.#mirror;
    const missing = this.#result.differences.missing ?? 0;
    const schemes = Object.keys(this.#result.schemes);
    return {
      ...this.#result,
      identities: this.#identities.size,
      unknownSchemes: schemes.filter((scheme) => !OWN_SCHEMES.includes(scheme)),
      raises: Math.max(0, this.#creates - this.#createsThere - missing),
      examples: Object.fromEntries(this.#examples),
      sourceZxid: `0x${source.client.lastZxid.toString(16)}`,
      targetZxid: `0x${target.client.lastZxid.toString(16)}`,
    };
  }

  #source({ data, acl, stat, lifetime }: Znode): void {
    const result = this.#result;
    result.znodes += 1;
    result.bytes += data?.length ?? 0;
    if (lifetime === "unknown") result.lifetimesUnknown += 1;
    else if (lifetime === CONTAINER) result.containers += 1;
    else if (lifetime !== "none") result.ttls += 1;
    for (const { scheme, id } of acl) {
      result.schemes[scheme] = (result.schemes[scheme] ?? 0) + 1;
      if (this.#identities.size < IDENTITIES_MAX) this.#identities.add(`${scheme}:${id}`);
    }
    const creates = createsOf(stat);
    this.#creates += creates;
    if (creates > 0) result.counters += 1;
  }

  #differs(kind: DifferenceKind, path: string): void {
    const { differences } = this.#result;
    differences[kind] = (differences[kind] ?? 0) + 1;
    const examples = this.#examples.get(kind) ?? [];
    this.#examples.set(kind, examples);
    if (examples.length < EXAMPLES_MAX) examples.push(path);
  }
}
