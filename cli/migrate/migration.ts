/** A migration from its beginning to its end: copy, follow, switch or end. An ensemble that was away is compared again from the beginning. */
import { setTimeout as wait } from "node:timers/promises";
import { NoNodeError } from "../../client/connect.ts";
import { ownPath } from "../../client/zookeeper/session/chroot.ts";
import { isAtOrBelow } from "../../protocol/paths.ts";
import { EXIT_FAILED, EXIT_OK, messageOf } from "../command.ts";
import type { Context } from "../console/context.ts";
import { EXIT_NOT_ALLOWED, MisusedError } from "../console/exit-codes.ts";
import { counted, grouped } from "../counted.ts";
import { Follow } from "./follow.ts";
import { KnownLifetimes } from "./lifetimes.ts";
import { Mirror } from "./mirror.ts";
import { Orders } from "./orders.ts";
import { copyQuotas } from "./quotas.ts";
import { rehearse } from "./rehearsal.ts";
import { rehearsalLines } from "./rehearsal-text.ts";
import { Relay } from "./relay/relay.ts";
import { hex, Report, znodesText } from "./report.ts";
import type { Settings } from "./settings.ts";
import { closeSides, isPassing, openSides, type Sides } from "./sides.ts";
import { switchOver } from "./switching.ts";
import { OWN_NAME, OWN_PATH, walkBoth } from "./walk.ts";
import { compareWhole, copyWhole, type Counts, type WholeOptions } from "./whole.ts";

const AGAIN_MS = 1_000;
/** How long changes are gathered before they are written. */
const GATHER_MS = 20;
const LOOK_MS = 500;
const WATCH_PROGRESS_MS = 1_000;
/** A target that is not further behind than this counts as equal while clients write. */
const EQUAL_MS = 1_000;
/** Before the switch changes are written until so few are left, or so often. */
const FEW_CHANGES = 64;
const ROUNDS_MAX = 50;
/** How often a switch is tried without the user. */
const SWITCHES_MAX = 3;
/** Paths that are named of what should not have been. */
const NAMED_MAX = 20;

export class Migration {
  readonly #settings: Settings;
  readonly #report: Report;
  readonly #context: Context;
  readonly #lifetimes = new KnownLifetimes();
  /** The topmost znodes that only the target had when the migration began, and that stay. */
  #kept = new Set<string>();
  #isChecked = false;
  #relay: Relay | undefined;
  #orders: Orders | undefined;
  #switches = 0;

  constructor(settings: Settings, context: Context) {
    this.#settings = settings;
    this.#context = context;
    this.#report = new Report(context);
  }

  /** Returns the exit code. */
  async run(): Promise<number> {
    const { lifetimesFrom, lifetimesLogFolder, kind } = this.#settings;
    if (lifetimesFrom !== undefined) {
      const found = await this.#lifetimes.read(lifetimesFrom, lifetimesLogFolder);
      this.#report.note(`${counted(found, "container or TTL znode")} read from ${lifetimesFrom}`);
    }
    let sides = await this.#open();
    try {
      if (kind !== "migrate") return await this.#look(sides);
      await this.#begin();
      for (;;) {
        try {
          return await this.#attempt(sides);
        } catch (error) {
          if (!isPassing(error) || this.#context.signal.aborted) throw error;
          this.#report.note(`${messageOf(error)}; everything is compared again`);
        }
        await closeSides(sides);
        sides = await this.#openAgain();
      }
    } finally {
      this.#report.clear();
      this.#orders?.close();
      await this.#relay?.stop();
      await closeSides(sides);
    }
  }

  #open(): Promise<Sides> {
    return openSides(this.#settings, this.#lifetimes, this.#context.signal);
  }

  async #openAgain(): Promise<Sides> {
    for (;;) {
      await wait(AGAIN_MS, undefined, { signal: this.#context.signal });
      try {
        return await this.#open();
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#report.note(messageOf(error));
      }
    }
  }

  async #look(sides: Sides): Promise<number> {
    const mirror = this.#mirror(sides);
    const { withoutOwn, withQuotas, kind } = this.#settings;
    if (kind === "verify") return this.#verify(mirror);
    const onProgress = (znodes: number): void =>
      this.#report.progress("rehearsal", { znodes }, () => `reading: ${counted(znodes, "znode")}`);
    const rehearsal = await rehearse(mirror, { withoutOwn, withQuotas, onProgress });
    await this.#report.event("rehearsed", rehearsal, rehearsalLines(rehearsal).join("\n"));
    return (rehearsal.differences.hidden ?? 0) > 0 ? EXIT_NOT_ALLOWED : EXIT_OK;
  }

  async #verify(mirror: Mirror): Promise<number> {
    const counts = await compareWhole(mirror, this.#whole("verify", false), (difference) =>
      this.#report.difference(difference),
    );
    const { znodes, differences } = counts;
    const result = differences === 0 ? "equal" : `${counted(differences, "difference")}`;
    await this.#report.event("verified", counts, `verified ${counted(znodes, "znode")}: ${result}`);
    return differences === 0 ? EXIT_OK : EXIT_FAILED;
  }

  async #begin(): Promise<void> {
    const { relay } = this.#settings;
    const orders = new Orders(this.#context.io, relay === undefined ? "end" : "switch", (text) =>
      this.#report.note(`"${text}" is not known here: type ${orders.word}`),
    );
    this.#orders = orders;
    if (relay === undefined) return;
    this.#relay = new Relay({
      ...relay,
      onCreated: ({ path, czxid, lifetime }) => {
        const mine = this.#inChroot(path);
        if (mine !== undefined) this.#lifetimes.created(mine, czxid, lifetime);
      },
      onNotice: (text) => this.#report.noteOnce(text),
    });
    try {
      await this.#relay.start();
    } catch (error) {
      this.#relay = undefined;
      throw new MisusedError(`--listen: ${messageOf(error)}`, { cause: error });
    }
    const { host } = relay.listen;
    const { port } = this.#relay;
    await this.#report.event(
      "listening",
      { host, port },
      `clients may connect to ${host}:${port}, which leads to the source`,
    );
  }

  async #attempt(sides: Sides): Promise<number> {
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#context.signal, ended.signal]);
    const mirror = new Mirror(sides.source, sides.target, signal);
    const { withoutOwn } = this.#settings;
    // It begins before the copy, so that nothing is missed in between.
    const follow = new Follow(sides.source.client, { withoutOwn, signal });
    try {
      const isEmpty = await this.#isEmpty(mirror);
      if (!isEmpty && !this.#isChecked) await this.#checkOthers(mirror);
      this.#isChecked = true;
      await this.#makeEqual(mirror, "copy", isEmpty);
      await this.#watched(follow);
      // Whatever has been changed while the stream began, and what no stream tells: lists, and children that came and went.
      await this.#makeEqual(mirror, "compare", false);
      return await this.#followOn(mirror, follow);
    } finally {
      ended.abort(new Error("the attempt is over"));
    }
  }

  /** Over ZooKeeper's protocol the stream reads the whole source to set its watches, which takes minutes with millions of znodes. */
  async #watched(follow: Follow): Promise<void> {
    const startedMs = performance.now();
    const timer = setInterval(() => {
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      this.#report.progress("watch", { seconds }, () => `watching the source: ${seconds} s`);
    }, WATCH_PROGRESS_MS);
    try {
      await follow.established;
    } finally {
      clearInterval(timer);
    }
  }

  async #isEmpty({ target, signal }: Mirror): Promise<boolean> {
    try {
      const { children } = await target.client.children("/", { signal });
      return children.every((name) => this.#settings.withoutOwn && name === OWN_NAME);
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      throw new MisusedError("the chroot of <to> is not there: create it first", { cause: error });
    }
  }

  /** What the target has and the source has not is somebody's, unless the user says what is to become of it. */
  async #checkOthers(mirror: Mirror): Promise<void> {
    const { intoUsed, deletesOthers } = this.#settings;
    if (deletesOthers) return;
    const others: string[] = [];
    const { withoutOwn } = this.#settings;
    for await (const { extras } of walkBoth(mirror, { isEmpty: false, withoutOwn })) {
      for (const { path } of extras) others.push(path);
    }
    if (others.length === 0) return;
    if (!intoUsed) {
      const some = others.slice(0, NAMED_MAX).join(" ");
      throw new MisusedError(
        `the target has znodes that the source has not: ${some}${others.length > NAMED_MAX ? " …" : ""}; --into-used leaves them, --delete deletes them`,
      );
    }
    this.#kept = new Set(others);
  }

  async #makeEqual(mirror: Mirror, phase: string, isEmpty: boolean): Promise<Counts> {
    const startedMs = performance.now();
    const before = mirror.written;
    const counts = await copyWhole(mirror, this.#whole(phase, isEmpty));
    const written = mirror.written - before;
    const ms = Math.round(performance.now() - startedMs);
    const what = phase === "copy" ? "copied" : "compared";
    await this.#report.event(
      what,
      { ...counts, written, ms },
      `${what} ${znodesText(counts)}: ${counted(written, "write")} in ${(ms / 1_000).toFixed(1)} s`,
    );
    return counts;
  }

  async #followOn(mirror: Mirror, follow: Follow): Promise<number> {
    let isEqual = false;
    let saidMs = -Infinity;
    for (;;) {
      await Promise.race([follow.change(LOOK_MS), this.#orders?.within(LOOK_MS)]);
      await wait(GATHER_MS, undefined, { signal: mirror.signal });
      if (follow.hasGap) {
        follow.hasGap = false;
        this.#report.note(
          "the source no longer keeps some of its changes; everything is compared again",
        );
        await this.#makeEqual(mirror, "compare", false);
      }
      const startedMs = performance.now();
      await mirror.source.client.sync("/", { signal: mirror.signal });
      const znodes = await this.#applyChanges(mirror, follow);
      const lagMs = Math.round(Math.max(performance.now() - startedMs, follow.lagMs));
      const { lastZxid } = mirror.source.client;
      if (lagMs <= EQUAL_MS && !isEqual) {
        isEqual = true;
        await this.#report.event(
          "equal",
          { zxid: hex(lastZxid), lagMs },
          `equal as of zxid ${hex(lastZxid)}, ${lagMs} ms behind; following`,
        );
        await this.#tellProblems(mirror);
        this.#hint();
      } else if (lagMs > 2 * EQUAL_MS) {
        isEqual = false;
      }
      if (performance.now() - saidMs >= EQUAL_MS) {
        saidMs = performance.now();
        const fields = { zxid: hex(lastZxid), lagMs, changes: follow.changes, znodes };
        this.#report.progress(
          "follow",
          fields,
          () => `following: ${counted(follow.changes, "change")}, ${grouped(lagMs)} ms behind`,
        );
      }
      const code = await this.#maybeGoOn(mirror, follow, isEqual);
      if (code !== undefined) return code;
    }
  }

  /** Undefined: it follows on. */
  async #maybeGoOn(mirror: Mirror, follow: Follow, isEqual: boolean): Promise<number | undefined> {
    const { once, switchWhenEqual } = this.#settings;
    const byItself = isEqual && (once || (switchWhenEqual && this.#switches < SWITCHES_MAX));
    const isAsked = this.#orders?.take() === true;
    if (!isAsked && !byItself) return undefined;
    if (this.#relay === undefined) return this.#end(mirror, isAsked);
    if (isAsked || this.#switches > 0) await this.#makeEqual(mirror, "compare", false);
    this.#switches += 1;
    return this.#switch(mirror, follow, this.#relay);
  }

  /** What was compared a moment ago is not made equal once more, unless the user may have waited. */
  async #end(mirror: Mirror, isAsked: boolean): Promise<number> {
    if (isAsked) await this.#makeEqual(mirror, "compare", false);
    return this.#verify(mirror);
  }

  async #switch(mirror: Mirror, follow: Follow, relay: Relay): Promise<number | undefined> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      await mirror.source.client.sync("/", { signal: mirror.signal });
      if ((await this.#applyChanges(mirror, follow)) <= FEW_CHANGES) break;
    }
    if (mirror.problems.size > 0) {
      await this.#tellProblems(mirror);
      this.#report.note("no switch: these znodes are not equal");
      return undefined;
    }
    const switched = await switchOver(mirror, {
      ...{ relay, follow, pauseMs: this.#settings.pauseMs },
      mine: (paths) => this.#mine(paths),
      onFirstAnswer: () => {
        void this.#report
          .event("answered", {}, "the target has answered a client's first request")
          .catch(() => undefined);
      },
    });
    if (switched.kind === "givenUp") {
      await this.#report.event(
        "givenUp",
        { reason: switched.reason },
        `no switch: ${switched.reason}; clients go on at the source`,
      );
      return undefined;
    }
    const { znodes, clients } = switched;
    const pausedMs = Math.round(switched.pausedMs * 10) / 10;
    const zxid = hex(mirror.source.client.lastZxid);
    await this.#report.event(
      "switched",
      { pausedMs, znodes, clients, zxid },
      `switched after a pause of ${pausedMs} ms, in which the last ${counted(znodes, "znode")} were made equal; ${counted(clients, "client")} were sent to the target\ntype end, or send SIGUSR2, when no client is configured to come here any more`,
    );
    return this.#afterSwitch(mirror, follow);
  }

  /** The relay goes on until the user ends it. Whoever still writes to the source does not come through it. */
  async #afterSwitch(mirror: Mirror, follow: Follow): Promise<number> {
    const orders = this.#orders;
    if (orders === undefined) return EXIT_OK;
    orders.word = "end";
    const { signal } = this.#context;
    let named = 0;
    while (!orders.take()) {
      signal.throwIfAborted();
      await orders.within(LOOK_MS);
      for (const path of takenOf(follow)) {
        if (!(await isThere(mirror, path))) continue;
        named += 1;
        if (named > NAMED_MAX) continue;
        await this.#report.event(
          "stranger",
          { path },
          `${path} was changed at the source after the switch, by a client that does not come through here`,
        );
      }
    }
    return EXIT_OK;
  }

  /** Returns how many znodes were looked at. */
  async #applyChanges(mirror: Mirror, follow: Follow): Promise<number> {
    const { signal } = mirror;
    const written = this.#mine(this.#relay?.takeWritten() ?? []);
    if (written.length > 0) await mirror.source.client.sync("/", { signal });
    const paths = new Set([...follow.take(), ...written]);
    await mirror.settleAt(paths);
    if (follow.hasQuota && this.#settings.withQuotas) {
      follow.hasQuota = false;
      const keepsOthers = this.#keepsOthers;
      await copyQuotas(mirror.source.client, mirror.target.client, { keepsOthers, signal });
    }
    return paths.size;
  }

  async #tellProblems({ problems }: Mirror): Promise<void> {
    for (const [path, kind] of [...problems].slice(0, NAMED_MAX)) {
      await this.#report.difference({ path, kind });
    }
    if (problems.size > NAMED_MAX) this.#report.note(`${counted(problems.size, "znode")} in all`);
  }

  #hint(): void {
    const { once, switchWhenEqual } = this.#settings;
    if (once || switchWhenEqual) return;
    const what = this.#relay === undefined ? "stop the clients, then type end" : "type switch";
    this.#report.note(`${what}, or send SIGUSR2 to process ${process.pid}`);
  }

  /** Paths that the relay's clients have named, as the migration's sessions name them. */
  #mine(paths: Iterable<string>): readonly string[] {
    return [...paths].flatMap((path) => {
      const mine = this.#inChroot(path);
      if (mine === undefined) return [];
      return this.#settings.withoutOwn && isAtOrBelow(mine, OWN_PATH) ? [] : [mine];
    });
  }

  #inChroot(path: string): string | undefined {
    const { chroot } = this.#settings;
    return chroot === "" || isAtOrBelow(path, chroot) ? ownPath(chroot, path) : undefined;
  }

  #mirror({ source, target }: Sides): Mirror {
    return new Mirror(source, target, this.#context.signal);
  }

  get #keepsOthers(): boolean {
    return this.#settings.intoUsed && !this.#settings.deletesOthers;
  }

  #whole(phase: string, isEmpty: boolean): WholeOptions {
    const { kind, withoutOwn, withQuotas } = this.#settings;
    return {
      ...{ isEmpty, withoutOwn, withQuotas, keepsOthers: this.#keepsOthers },
      // Who only compares has not looked before what others have there.
      keeps: (path) => this.#kept.has(path) || (this.#keepsOthers && kind === "verify"),
      onProgress: ({ znodes, bytes, ephemerals }) => {
        const fields = { znodes, bytes, ephemerals };
        this.#report.progress(phase, fields, () => `${phase}: ${counted(znodes, "znode")}`);
      },
    };
  }
}

/** What is gone may have been ended by the source itself: containers whose last ephemeral went with its session, and TTLs. */
async function isThere({ source }: Mirror, path: string): Promise<boolean> {
  try {
    return (await source.client.exists(path)).stat !== undefined;
  } catch {
    return false;
  }
}

/** Its stream may have ended with its ensemble, which nobody needs any more. */
function takenOf(follow: Follow): readonly string[] {
  try {
    return follow.take();
  } catch {
    return [];
  }
}
