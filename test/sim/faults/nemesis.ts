/** Draws faults of a plan's kinds one after the other, injects each, and takes it back after a while; at the end, all of them. */
import type { SimClient } from "../client/client.ts";
import type { AnyClient } from "../client/any.ts";
import type { Cluster } from "../cluster.ts";
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { damage, loseLastWrite, losePart } from "../losses.ts";
import type { Random } from "../random.ts";
import type { SimNode } from "../sim-node.ts";
import { SURVIVORS } from "../failures/survivors.ts";
import type { CrashOver } from "../faulty-disk.ts";
import type { FaultKind } from "./kinds.ts";
import { fillDisk, freeDisk } from "./disk-space.ts";
import { handoverFaults } from "./handovers.ts";
import { identityFaults } from "./identities.ts";
import { sessionFaults } from "./sessions.ts";
import { strangerFaults } from "./strangers.ts";
import { successionFaults } from "./successions.ts";
import type { Inject, Injection, Target } from "./target.ts";
import { server } from "../../support/plain-calls.ts";

export type FaultCounts = Partial<Record<FaultKind, number>>;

const FULL_EXTRA_BYTES = 6000;
export class Nemesis {
  readonly counts: FaultCounts = {};
  readonly #cluster: Cluster;
  readonly #random: Random;
  readonly #injectors: Readonly<Record<FaultKind, Inject>>;
  /** Clients that use another's session. */
  readonly #seconds: SimClient[] = [];
  #over = false;

  constructor(cluster: Cluster, random: Random) {
    this.#cluster = cluster;
    this.#random = random;
    const injection: Injection = {
      ...{ cluster, random },
      later: (afterMs, run) => this.#later(afterMs, run),
      say: (text) => this.#say(text),
    };
    this.#injectors = {
      ...successionFaults(injection),
      ...handoverFaults(injection),
      ...identityFaults(injection),
      ...strangerFaults(injection),
      ...sessionFaults(injection, (node, forMs) => this.#pause(node, forMs)),
      ...this.#networkFaults(),
      ...this.#processFaults(),
      ...this.#clockAndDiskFaults(),
      ...this.#clientFaults(),
    };
    cluster.onDown = (node) => this.#startLater(node);
  }

  /** Starts the nodes, each at its time, and goes on with faults. */
  begin(): void {
    const { nodes, plan } = this.#cluster;
    for (const node of nodes) {
      const startMs = plan.startMs[node.id - 1] ?? 0;
      if (plan.driftMax > 0) node.rate = 1 + (this.#random.random() * 2 - 1) * plan.driftMax;
      this.#later(startMs, () => this.#cluster.start(node));
    }
    if (Object.keys(plan.faults).length > 0) this.#next();
  }

  /** Every fault ends; every node is up. */
  end(): void {
    this.#over = true;
    const cluster = this.#cluster;
    cluster.note(undefined, "all faults end");
    cluster.network.healAll();
    cluster.network.faults = {
      lossRate: 0,
      duplicationRate: 0,
      delayMs: { min: 0.05, max: 2 },
      lateRate: 0,
    };
    cluster.network.straggle = () => [0];
    cluster.natives.subjects.lossRate = 0;
    cluster.healClients();
    for (const second of this.#seconds) second.end();
    for (const client of cluster.clients) client.mute = false;
    cluster.ghosts.endAll("copy");
    cluster.ghosts.endAll("rival");
    cluster.ghosts.meet("replaced");
    for (const node of cluster.nodes) {
      this.#healDisk(node);
      node.incarnation?.clock.resume();
      if (node.incarnation === undefined) cluster.start(node);
    }
    cluster.onDown = (node) => cluster.clock.after(50, () => cluster.start(node));
  }

  #next(): void {
    const { plan } = this.#cluster;
    this.#later(this.#random.wait(plan.faultIntervalMs), () => {
      const kind = this.#random.weighted(plan.faults);
      if (kind !== undefined) this.#inject(kind);
      this.#next();
    });
  }

  #later(afterMs: number, run: () => void): void {
    this.#cluster.clock.after(afterMs, () => {
      if (!this.#over) run();
    });
  }

  #inject(kind: FaultKind): void {
    const { nodes, clients, users } = this.#cluster;
    const random = this.#random;
    const isUser = users.length > 0 && random.chance(0.5);
    const node = random.pick(nodes);
    const target: Target = {
      node,
      other: nodes.length === 1 ? node : random.pick(nodes.filter((each) => each !== node)),
      client: random.pick(clients),
      anyone: isUser ? random.pick(users) : random.pick(clients),
      forMs: 50 + random.wait(random.pick([200, 800, 2500])),
    };
    if (this.#injectors[kind](target)) this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }

  #say(text: string): true {
    this.#cluster.note(undefined, `fault: ${text}`);
    return true;
  }

  get #leader(): SimNode | undefined {
    return this.#cluster.nodes.find((node) => node.leads);
  }

  /** Calls with every path between nodes of different groups, both ways. */
  #between(apart: (a: SimNode, b: SimNode) => boolean): void {
    const { nodes, network } = this.#cluster;
    for (const a of nodes) {
      for (const b of nodes) if (a !== b && apart(a, b)) network.cut(a.id, b.id);
    }
  }

  #healLater(forMs: number): void {
    this.#later(forMs, () => this.#cluster.network.heal());
  }

  #networkFaults(): Pick<
    Record<FaultKind, Inject>,
    | "cutOneWay"
    | "cutBothWays"
    | "isolate"
    | "isolateServer"
    | "isolateLeader"
    | "muteLeader"
    | "halves"
    | "bridge"
    | "clog"
    | "slowLink"
    | "lossBurst"
    | "overtaking"
    | "heal"
  > {
    const { network } = this.#cluster;
    const random = this.#random;
    const apart = (node: SimNode, forMs: number, text: string): boolean => {
      this.#between((a, b) => a === node || b === node);
      this.#healLater(forMs);
      return this.#say(text);
    };
    /** It leads before the leader, which is isolated for so long that sessions end, has noticed anything. */
    const succeed = (node: SimNode): void => {
      this.#later(random.random() * 100, () => {
        node.tell("log-sync", { kind: "elected", leader: node.id });
      });
    };
    const groups = (forMs: number, bridge: SimNode | undefined): boolean => {
      const left = new Set(this.#cluster.nodes.filter(() => random.chance(0.5)));
      this.#between((a, b) => a !== bridge && b !== bridge && left.has(a) !== left.has(b));
      this.#healLater(forMs);
      const ids = [...left].map((node) => node.id).join(" ");
      return this.#say(`[${ids}] apart${bridge === undefined ? "" : `, bridged by ${bridge.id}`}`);
    };
    return {
      cutOneWay: ({ node, other, forMs }) => {
        network.cut(node.id, other.id);
        this.#healLater(forMs);
        return this.#say(`${node.id} does not reach ${other.id}`);
      },
      cutBothWays: ({ node, other, forMs }) => {
        this.#between((a, b) => (a === node && b === other) || (a === other && b === node));
        this.#healLater(forMs);
        return this.#say(`${node.id} and ${other.id} do not reach each other`);
      },
      isolate: ({ node, forMs }) => apart(node, forMs, `${node.id} isolated`),
      isolateServer: ({ node, anyone: { name, server, session }, forMs }) => {
        if (server === undefined || session === undefined) return false;
        if (server === this.#leader?.id && node.id !== server) succeed(node);
        this.#isolateForLong(server, forMs + session.timeoutMs);
        return this.#say(`${server}, which serves ${name}, isolated for long`);
      },
      isolateLeader: ({ node, anyone, forMs }) => {
        const leader = this.#leader;
        if (leader === undefined) return false;
        const text = `leader ${leader.id} isolated`;
        const serves = anyone.server === leader.id && anyone.session !== undefined;
        if (node === leader || !(serves || random.chance(0.3))) return apart(leader, forMs, text);
        succeed(node);
        this.#isolateForLong(leader.id, forMs + this.#cluster.plan.minSessionTimeoutMs);
        return this.#say(`${text} for long`);
      },
      muteLeader: ({ forMs }) => {
        const leader = this.#leader;
        if (leader === undefined) return false;
        for (const each of this.#cluster.nodes) {
          if (each !== leader) network.cut(leader.id, each.id);
        }
        this.#healLater(forMs);
        return this.#say(`leader ${leader.id} does not reach anybody`);
      },
      halves: ({ forMs }) => groups(forMs, undefined),
      bridge: ({ node, forMs }) => groups(forMs, node),
      clog: ({ node, other, forMs }) => {
        network.clog(node.id, other.id);
        this.#healLater(forMs);
        return this.#say(`${node.id} to ${other.id} clogged`);
      },
      slowLink: ({ node, other, forMs }) => {
        network.slow(node.id, other.id, random.random() * 400);
        this.#healLater(forMs);
        return this.#say(`${node.id} to ${other.id} slow`);
      },
      lossBurst: ({ forMs }) => this.#networkFor(forMs, { lossRate: 0.1 + random.random() * 0.4 }),
      overtaking: ({ forMs }) => {
        return this.#networkFor(forMs, { lateRate: 0.5, duplicationRate: random.random() * 0.5 });
      },
      heal: () => {
        network.heal();
        return this.#say("the network heals");
      },
    };
  }

  /** Whatever else heals meanwhile, until its peers have noticed and `forMs` are over. */
  #isolateForLong(id: number, forMs: number): void {
    const { network, plan, nodes } = this.#cluster;
    const longMs = forMs + plan.peerTimeoutMs;
    for (const other of nodes) {
      if (other.id === id) continue;
      network.cut(other.id, server(id), longMs);
      network.cut(server(id), other.id, longMs);
    }
    this.#healLater(longMs);
  }

  #networkFor(forMs: number, faults: Partial<Cluster["network"]["faults"]>): boolean {
    const { network, plan } = this.#cluster;
    network.faults = { ...network.faults, ...faults };
    this.#later(forMs, () => {
      network.faults = plan.network;
    });
    return this.#say(`network ${JSON.stringify(faults)}`);
  }

  #processFaults(): Pick<
    Record<FaultKind, Inject>,
    | "kill"
    | "killLeader"
    | "powerFailure"
    | "powerFailureOfAll"
    | "crashAtDiskStep"
    | "crashAtSnapshot"
    | "crashAtTruncation"
    | "pause"
    | "pauseLeader"
    | "restartStorm"
    | "wrongElection"
    | "actorFails"
  > {
    return {
      kill: ({ node }) => this.#crash(node, false),
      killLeader: () => this.#crash(this.#leader, this.#random.chance(0.3)),
      powerFailure: ({ node }) => this.#crash(node, true),
      powerFailureOfAll: () => {
        this.#say("power failure of all");
        for (const node of this.#cluster.nodes) this.#crash(node, true);
        return true;
      },
      crashAtDiskStep: ({ node }) => this.#armCrash(node, "anything"),
      crashAtSnapshot: ({ node }) => this.#armCrash(node, "snapshot"),
      crashAtTruncation: ({ node }) => this.#armCrash(node, "truncation"),
      pause: ({ node, forMs }) => this.#pause(node, forMs),
      pauseLeader: ({ forMs }) => this.#pause(this.#leader, forMs),
      wrongElection: ({ node, other }) => {
        const both = this.#random.chance(0.6) ? [node, other] : [node];
        for (const each of both) each.tell("log-sync", { kind: "elected", leader: each.id });
        return this.#say(`${both.map(({ id }) => id).join(" and ")} told to stand`);
      },
      actorFails: ({ node }) => {
        const lane = this.#random.whole(1, this.#cluster.plan.lanes);
        const actor = this.#random.pick(SURVIVORS).replace("/1", `/${lane}`);
        const at = this.#random.pick(["before", "decided", "effect"] as const);
        node.failing.set(actor, { at });
        return this.#say(`${actor} of ${node.id} fails, ${at}`);
      },
      restartStorm: ({ node }) => {
        const times = this.#random.whole(3, 6);
        for (let time = 0; time < times; time += 1) {
          this.#later(time * 60 + this.#random.random() * 60, () => {
            this.#cluster.crash(node, this.#random.chance(0.5));
            this.#later(this.#random.random() * 40, () => this.#cluster.start(node));
          });
        }
        return this.#say(`${node.id} restarts ${times} times`);
      },
    };
  }

  #armCrash({ id, incarnation, faults }: SimNode, over: CrashOver): boolean {
    if (incarnation === undefined) return false;
    const steps = over === "truncation" ? 4 : this.#random.pick([3, 30]);
    faults.crashAfter = this.#random.below(steps);
    faults.crashOver = over;
    return this.#say(`${id} will crash at its disk, over ${over}`);
  }

  #crash(node: SimNode | undefined, power: boolean): boolean {
    if (node?.incarnation === undefined) return false;
    this.#cluster.crash(node, power);
    this.#startLater(node);
    return true;
  }

  #startLater(node: SimNode): void {
    this.#later(20 + this.#random.wait(this.#random.pick([100, 600, 2000])), () => {
      this.#cluster.start(node);
    });
  }

  #pause(node: SimNode | undefined, forMs: number): boolean {
    const incarnation = node?.incarnation;
    if (node === undefined || incarnation === undefined || incarnation.clock.paused) return false;
    incarnation.clock.pause();
    this.#later(forMs, () => {
      if (node.incarnation !== incarnation) return;
      this.#say(`${node.id} goes on`);
      incarnation.clock.resume();
    });
    return this.#say(`${node.id} stands still`);
  }

  #clockAndDiskFaults(): Pick<
    Record<FaultKind, Inject>,
    | "drift"
    | "clientDrift"
    | "wallJump"
    | "slowDisk"
    | "slowSync"
    | "syncFails"
    | "writeFails"
    | "readFails"
    | "diskFull"
    | "damage"
    | "promiseForgotten"
    | "loseLastWrite"
    | "wrongDisk"
  > {
    const random = this.#random;
    const { plan } = this.#cluster;
    const rate = (): number => 1 + (random.random() * 2 - 1) * plan.driftMax;
    return {
      clientDrift: ({ anyone: { clock, name } }) => {
        clock.setRate(rate());
        return this.#say(`the clock of ${name} runs at ${clock.rate.toFixed(4)}`);
      },
      drift: ({ node }) => {
        node.rate = rate();
        node.incarnation?.clock.setRate(node.rate);
        return this.#say(`the clock of ${node.id} runs at ${node.rate.toFixed(4)}`);
      },
      wallJump: ({ node }) => {
        const byMs = Math.round((random.random() * 2 - 1) * random.pick([100, 10_000, 3_600_000]));
        node.wallOffsetMs += byMs;
        node.incarnation?.clock.jumpWall(byMs);
        return this.#say(`the clock of ${node.id} jumps by ${byMs} ms`);
      },
      slowDisk: ({ node, forMs }) => {
        node.faults.latencyMs = { min: 1, max: 5 + random.random() * 40 };
        this.#later(forMs, () => this.#healDisk(node));
        return this.#say(`the disk of ${node.id} is slow`);
      },
      slowSync: ({ node, forMs }) => {
        node.faults.syncMs = random.random() * 300;
        this.#later(forMs, () => this.#healDisk(node));
        return this.#say(`syncs of ${node.id} are slow`);
      },
      damage: ({ node }) => {
        if (node.incarnation !== undefined) this.#crash(node, random.chance(0.5));
        return damage(this.#cluster, node);
      },
      promiseForgotten: ({ node, other, forMs }) => {
        const leader = this.#leader;
        if (leader === undefined || [node, other].includes(leader) || node === other) return false;
        this.#cluster.network.cut(other.id, leader.id, forMs);
        this.#cluster.network.cut(node.id, other.id, forMs);
        this.#healLater(forMs);
        other.tell("log-sync", { kind: "elected", leader: other.id });
        this.#later(random.random() * 60, () => {
          if (this.#crash(node, false)) losePart(this.#cluster, node, "promise");
        });
        return this.#say(`${other.id} stands unheard by its leader, and ${node.id} will forget it`);
      },
      loseLastWrite: ({ node }) => {
        if (node.incarnation !== undefined) this.#crash(node, false);
        return loseLastWrite(this.#cluster, node);
      },
      wrongDisk: ({ node, other }) => {
        if (node === other || other.log.state === undefined) return false;
        this.#crash(node, true);
        node.wrongDisk = new MemoryDisk({ files: other.disk.snapshot() });
        return this.#say(`${node.id} is given the disk of ${other.id}`);
      },
      syncFails: ({ node }) => this.#failNext(node, random.pick(["sync", "syncFolder"])),
      writeFails: ({ node }) => this.#failNext(node, random.pick(["write", "rename", "truncate"])),
      readFails: ({ node }) => this.#failNext(node, "read"),
      diskFull: ({ node, forMs }) => {
        const { nodes } = this.#cluster;
        const full = random.chance(0.4) ? nodes.filter(() => random.chance(0.8)) : [node];
        const overwritesFail = random.chance(0.25);
        for (const each of full) {
          fillDisk(each, random.below(FULL_EXTRA_BYTES));
          each.faults.overwritesFail = overwritesFail;
        }
        const ids = full.map(({ id }) => id).join(" ");
        this.#later(forMs, () => {
          for (const each of full) freeDisk(each);
          this.#say(`space on the disks of ${ids}`);
        });
        return this.#say(`no space on the disks of ${ids}`);
      },
    };
  }

  #failNext(
    node: SimNode,
    kind: "sync" | "syncFolder" | "write" | "rename" | "truncate" | "read",
  ): boolean {
    node.faults.failNext = { kind, code: "EIO" };
    return this.#say(`the next ${kind} of ${node.id} fails`);
  }

  #healDisk(node: SimNode): void {
    node.faults.latencyMs = this.#cluster.plan.diskMs;
    node.faults.syncMs = 0;
    if (!this.#over) return;
    node.faults.failNext = undefined;
    node.faults.crashAfter = undefined;
    node.wrongDisk = undefined;
    node.wrongMembers = undefined;
    freeDisk(node);
  }

  #clientFaults(): Pick<
    Record<FaultKind, Inject>,
    "cutClient" | "moveClient" | "moveAllClients" | "shareSession" | "silenceClient"
  > {
    const cluster = this.#cluster;
    const random = this.#random;
    const silence = (client: AnyClient, nodes: readonly SimNode[], forMs: number): void => {
      for (const node of nodes) cluster.cutClient(client, node);
      this.#later(forMs, () => cluster.healClients());
    };
    return {
      cutClient: ({ anyone: client, node, forMs }) => {
        silence(client, [node], forMs);
        return this.#say(`${client.name} does not reach ${node.id}`);
      },
      moveClient: ({ anyone: client }) => {
        client.move(random.chance(0.5));
        return true;
      },
      moveAllClients: () => {
        for (const client of cluster.everyone) client.move(random.chance(0.5));
        return true;
      },
      shareSession: ({ client }) => {
        if (client.session === undefined || cluster.clients.length > 12) return false;
        const second = cluster.shareSession(client);
        if (second === undefined) return false;
        this.#seconds.push(second);
        this.#later(100 + random.random() * 400, () => second.end());
        return this.#say(`another client uses the session of ${client.name}`);
      },
      silenceClient: ({ anyone: client }) => {
        const forMs = (client.session?.timeoutMs ?? 1000) * (0.5 + random.random());
        silence(client, cluster.nodes, forMs);
        return this.#say(`${client.name} reaches no node`);
      },
    };
  }
}
