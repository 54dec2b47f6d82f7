/**
 * A story: what happens to a few nodes and clients, step by step, as plain calls. It happens in the simulated cluster, under virtual
 * time and with all of its checks; nothing goes wrong but what the story asks for. Each step is a line of the trace, and below it
 * stand the messages until the next step (`narrator.ts`).
 */
import type { ServerId } from "../../../protocol/ids.ts";
import { Coverage } from "../coverage.ts";
import { Cluster } from "../cluster.ts";
import { freeDisk } from "../faults/disk-space.ts";
import { compareWhole } from "../checks/trees.ts";
import type { SimNode } from "../sim-node.ts";
import { Trace } from "../trace.ts";
import { DiskVerbs } from "./disk-verbs.ts";
import { Narrator } from "./narrator.ts";
import { SESSION_TIMEOUT_MS, type StoryOptions, storyPlan, scriptedWorkload } from "./plan.ts";
import { create, StoryClient, type Narration } from "./story-client.ts";
import { short, zxidText } from "./words.ts";

/** A story fails when what it waits for does not come within this time. */
const WITHIN_MS = 30_000;
const STEP_MS = 1;
/** Time goes on for so long after what a story waited for has come: other nodes learn of it meanwhile. */
const AFTERMATH_MS = 20;

export type StoryCase = StoryOptions & {
  /** The name of its trace, without `.txt`. */
  readonly name: string;
  /** The rule that it shows, as a sentence that can be false. */
  readonly title: string;
  /** In the end the ensemble has lost too much to go on: it waits for its operator. */
  readonly endsWithoutQuorum?: boolean;
  readonly tell: (story: Story) => void;
};

/** Something that a story expects does not hold. */
class StoryFailure extends Error {
  override readonly name = "StoryFailure";
}

/** Plays the story and returns its trace. Throws when an invariant is violated, or an expectation does not hold. */
export function traceOf(of: StoryCase): string {
  const story = new Story(of);
  try {
    of.tell(story);
    story.finish(of.endsWithoutQuorum === true);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`${of.title}\n${story.lines.join("\n")}\n\n${text}`, { cause: error });
  }
  return [of.title, ...story.lines, ""].join("\n");
}

/** No story has more than five nodes. One that has fewer takes fewer of these. */
type Others = [SimNode, SimNode, SimNode, SimNode];

export class Story {
  readonly cluster: Cluster;
  readonly disks: DiskVerbs;
  readonly manyData: string = "m".repeat(400);
  readonly #narrator: Narrator;
  readonly #narration: Narration;

  constructor(options: StoryOptions) {
    this.cluster = new Cluster(
      storyPlan(options),
      (clock) => new Trace(() => clock.nowMs(), false),
      new Coverage(),
    );
    this.#narrator = new Narrator(this.cluster);
    this.#narration = {
      step: (text) => this.step(text),
      say: (who, text) => this.#narrator.say(who, text),
      until: (what, holds) => this.#runUntil(what, holds),
    };
    this.disks = new DiskVerbs(this.cluster, (text, run) => {
      this.step(text);
      this.#quietly(() => {
        if (!run()) throw new StoryFailure(`it cannot be: ${text}`);
      });
    });
    if (options.fromNothing === true) {
      this.#narrator.begin();
      return;
    }
    for (const node of this.nodes) this.cluster.start(node);
    this.#runUntil("there is an ensemble", () => this.nodes.every(isWell));
    this.cluster.run(500);
    this.#narrator.begin();
    const count = options.nodes === 1 ? "1 node" : `${options.nodes} nodes`;
    this.#narrator.step(`${count}; node ${this.leader.id} leads`);
  }

  get lines(): readonly string[] {
    return this.#narrator.lines;
  }

  /** How often a node has begun to look for a leader, in the whole story. */
  get looked(): number {
    return this.#narrator.looked;
  }

  get nodes(): readonly SimNode[] {
    return this.cluster.nodes;
  }

  /** The node that leads and knows its barrier to be committed. If there are two such nodes, it is the one of the later epoch. */
  get leader(): SimNode {
    const leading = this.nodes.filter(({ leads, established }) => leads && established);
    const leader = leading.sort((a, b) => epochOf(b) - epochOf(a))[0];
    if (leader === undefined) throw new StoryFailure("nobody leads");
    return leader;
  }

  /** All nodes but these, in the order of their numbers. */
  others(...nodes: readonly SimNode[]): Others {
    return this.nodes.filter((node) => !nodes.includes(node)) as Others;
  }

  /** A new client with a session at this node, to which it returns whenever it loses its connection. */
  client(name: string, of: { readonly at: SimNode; readonly timeoutMs?: number }): StoryClient {
    this.step(`${name} connects to node ${of.at.id}`);
    const sim = this.cluster.addClient(name, scriptedWorkload(of.timeoutMs ?? SESSION_TIMEOUT_MS));
    sim.quiet = true;
    sim.at = of.at.id;
    this.#quietly(() => this.#runUntil(`${name} is attached`, () => sim.connected));
    return new StoryClient(sim, this.#narration);
  }

  /** The client creates so many znodes below /many, each of 400 bytes. It is one step of the trace. */
  writeMany(client: StoryClient, count: number): void {
    this.step(`${client.name} creates ${count} znodes below /many`);
    this.#quietly(() => {
      client.does(create("/many", ""));
      for (let index = 0; index < count; index += 1) {
        client.does(create(`/many/${index}`, this.manyData));
      }
    });
  }

  /** Nothing of it is in the trace. */
  #quietly(run: () => void): void {
    this.#narrator.end();
    run();
    this.#narrator.begin();
  }

  // The network

  /** The node hears nobody, and nobody hears it. */
  isolate(node: SimNode): void {
    this.step(`node ${node.id} is cut off from all others`);
    for (const { id } of this.others(node)) this.#cut(node.id, id);
  }

  /** The node only receives: what it sends reaches nobody. */
  mute(node: SimNode): void {
    this.step(`nobody hears node ${node.id}`);
    for (const { id } of this.others(node)) this.cluster.network.cut(node.id, id);
  }

  /** The node only sends: nothing reaches it. */
  deafen(node: SimNode): void {
    this.step(`node ${node.id} hears nobody`);
    for (const { id } of this.others(node)) this.cluster.network.cut(id, node.id);
  }

  cut(one: SimNode, other: SimNode): void {
    this.step(`node ${one.id} and node ${other.id} do not reach each other`);
    this.#cut(one.id, other.id);
  }

  /** What was cut between the two is whole again. */
  mend(one: SimNode, other: SimNode): void {
    this.step(`node ${one.id} and node ${other.id} reach each other again`);
    this.cluster.network.mend(one.id, other.id);
    this.cluster.network.mend(other.id, one.id);
  }

  /** The network is parted into these nodes and all others. */
  part(...nodes: readonly SimNode[]): void {
    this.step(`nodes ${nodes.map(({ id }) => id).join(" ")} are cut off from the others`);
    for (const { id } of nodes) for (const there of this.others(...nodes)) this.#cut(id, there.id);
  }

  /** What `from` sends to `to` waits until the network heals, and arrives then. */
  clog(from: SimNode, to: SimNode): void {
    this.step(`what node ${from.id} says to node ${to.id} is held up`);
    this.cluster.network.clog(from.id, to.id);
  }

  /** What `from` sends to `to` takes longer by so much. */
  slow(from: SimNode, to: SimNode, byMs: number): void {
    this.step(`what node ${from.id} says to node ${to.id} takes ${byMs} ms`);
    this.cluster.network.slow(from.id, to.id, byMs);
  }

  /** Every message comes twice, each time after 1 to `delayMs` ms. */
  overtake(delayMs: number): void {
    this.step("every message comes twice, and they overtake one another");
    const { network } = this.cluster;
    network.faults = { ...network.faults, duplicationRate: 1, delayMs: { min: 1, max: delayMs } };
  }

  heal(): void {
    this.step("the network heals");
    this.#healNetwork();
  }

  #healNetwork(): void {
    this.cluster.network.healAll();
    this.cluster.network.faults = this.cluster.plan.network;
    this.cluster.healClients();
  }

  /** Nothing passes between the client and the node. */
  cutClient(client: StoryClient, node: SimNode): void {
    this.step(`${client.name} and node ${node.id} do not reach each other`);
    this.cluster.cutClient(client.sim, node);
  }

  #cut(one: ServerId, other: ServerId): void {
    this.cluster.network.cut(one, other);
    this.cluster.network.cut(other, one);
  }

  // Processes

  kill(...nodes: readonly SimNode[]): void {
    this.step(`${named(nodes)} killed`);
    this.#quietly(() => {
      for (const node of nodes) this.cluster.crash(node, false);
    });
  }

  powerFailure(...nodes: readonly SimNode[]): void {
    this.step(`the power fails; ${named(nodes)} down`);
    this.#quietly(() => {
      for (const node of nodes) this.cluster.crash(node, true);
    });
  }

  start(...nodes: readonly SimNode[]): void {
    this.step(`${named(nodes)} started`);
    for (const node of nodes) this.cluster.start(node);
  }

  pause(node: SimNode): void {
    this.step(`node ${node.id} stands still`);
    node.incarnation?.clock.pause();
  }

  resume(node: SimNode): void {
    this.step(`node ${node.id} goes on`);
    node.incarnation?.clock.resume();
  }

  /** Each of them becomes a candidate, as if it had won an election. */
  stand(...nodes: readonly SimNode[]): void {
    const ids = nodes.map(({ id }) => id).join(" ");
    this.step(
      nodes.length === 1 ? `node ${ids} becomes a candidate` : `nodes ${ids} become candidates`,
    );
    for (const node of nodes) node.tell("log-sync", { kind: "elected", leader: node.id });
  }

  /** The leader hands its office over, to this node or to whoever can take it. */
  handOver(leader: SimNode, to?: SimNode): void {
    const whom = to === undefined ? "whoever can take over" : `node ${to.id}`;
    this.step(`node ${leader.id} hands over to ${whom}`);
    leader.tell("log-sync", { kind: "handOver", request: 1, to: to?.id });
  }

  /** The node is about to stop. */
  retire(node: SimNode): void {
    this.step(`node ${node.id} is about to stop`);
    node.tell("log-sync", { kind: "retire" });
  }

  // Time

  wait(ms: number): void {
    this.step(`${ms / 1000} s pass`);
    this.cluster.run(ms);
  }

  /** What is under way arrives. It is too short for any timeout. */
  moment(): void {
    this.cluster.run(AFTERMATH_MS);
  }

  until(what: string, holds: () => boolean): void {
    this.step(`until ${what}`);
    this.#runUntil(what, holds);
  }

  /** The story goes on when another node than this one leads. It fails if that takes longer than `withinMs`. */
  untilReplaced(leader: SimNode, withinMs: number = WITHIN_MS): void {
    const what = `another node than ${leader.id} leads`;
    this.step(`until ${what}${withinMs < WITHIN_MS ? `, within ${withinMs} ms` : ""}`);
    const isReplaced = (): boolean =>
      this.others(leader).some(({ leads, established }) => leads && established);
    this.#runUntil(what, isReplaced, { withinMs });
  }

  untilHandoverEnds(node: SimNode, withinMs: number): void {
    const what = `the handover of node ${node.id} has ended`;
    this.step(`until ${what}`);
    this.#runUntil(what, () => node.logSync?.handover === undefined, { withinMs });
  }

  /** The story goes on when this chunk of its leader's snapshot is on the node's disk and the next one is not. */
  untilChunk(node: SimNode, index: number): void {
    const what = `node ${node.id} has chunk ${index} of a snapshot`;
    this.step(`until ${what}`);
    const next = (): number => node.logSync?.snapshots.transfer?.index ?? 0;
    this.#runUntil(what, () => next() > index, { aftermathMs: 0 });
  }

  /** The story goes on when a quorum has promised the candidate its epoch, and nobody has its barrier but itself. */
  untilPromised(candidate: SimNode): void {
    const what = `node ${candidate.id} has its promises`;
    this.step(`until ${what}`);
    this.#runUntil(what, () => candidate.leads, { aftermathMs: 0 });
  }

  /** The story goes on when the logs of these nodes are durable up to this zxid. */
  untilHeld(nodes: readonly SimNode[], zxid: number): void {
    const what = `the logs of nodes ${nodes.map(({ id }) => id).join(" ")} reach to ${zxidText(zxid)}`;
    this.step(`until ${what}`);
    const reaches = ({ logSync }: SimNode): boolean => (logSync?.log.durable ?? 0) >= zxid;
    this.#runUntil(what, () => nodes.every(reaches), { aftermathMs: 0 });
  }

  untilEpoch(epoch: number): void {
    this.until(`a node leads in epoch ${epoch}, or later`, () => {
      return this.nodes.some((node) => node.established && epochOf(node) >= epoch);
    });
  }

  /** The story goes on when all nodes that are up lead or follow, have their vote, and hold the same. */
  untilWell(): void {
    this.until("all nodes that are up serve, and hold the same", () => {
      return this.nodes.every((node) => node.incarnation === undefined || this.#isCurrent(node));
    });
  }

  #isCurrent(node: SimNode): boolean {
    return isWell(node) && node.tree(1)?.lastApplied === this.cluster.truth.latest;
  }

  #runUntil(
    what: string,
    holds: () => boolean,
    of: { readonly withinMs?: number; readonly aftermathMs?: number } = {},
  ): void {
    const { withinMs = WITHIN_MS, aftermathMs = AFTERMATH_MS } = of;
    const { clock } = this.cluster;
    const untilMs = clock.nowMs() + withinMs;
    while (!holds()) {
      if (clock.nowMs() >= untilMs) throw new StoryFailure(`not within ${withinMs} ms: ${what}`);
      this.cluster.run(STEP_MS);
    }
    this.cluster.run(aftermathMs);
  }

  // What is expected

  expect(what: string, holds: boolean): void {
    if (!holds) throw new StoryFailure(`it does not hold: ${what}`);
    this.#narrator.held(what);
  }

  expectLeader(node: SimNode): void {
    this.expect(`node ${node.id} leads`, node.leads && node.established);
  }

  expectFollows(node: SimNode, leader: SimNode): void {
    const role = node.logSync?.role;
    const follows = role?.kind === "following" && role.leader === leader.id;
    this.expect(`node ${node.id} follows node ${leader.id}`, follows && node.established);
  }

  /** The tree of the node holds this data at the path; undefined: it has no such znode. */
  expectData(node: SimNode, path: string, data: string | undefined): void {
    const znodes = node.tree(1)?.znodes;
    const held = znodes?.find(path);
    const bytes = held === undefined ? undefined : (znodes?.data(held) ?? []);
    const text = bytes === undefined ? undefined : Buffer.from(bytes).toString("latin1");
    const what = data === undefined ? `no ${path}` : `${path} ${short(data)}`;
    this.expect(`node ${node.id} holds ${what}`, text === data);
  }

  expectEverywhere(path: string, data: string | undefined): void {
    for (const node of this.nodes)
      if (node.incarnation !== undefined) this.expectData(node, path, data);
  }

  step(text: string): void {
    this.#narrator.step(text);
  }

  /** All faults end, and all nodes must come to hold the same. The trace has nothing of it. */
  finish(withoutQuorum: boolean): void {
    this.#narrator.end();
    const { cluster } = this;
    this.#healNetwork();
    cluster.ghosts.endAll();
    for (const node of this.nodes) {
      freeDisk(node);
      node.faults.syncMs = 0;
      node.incarnation?.clock.resume();
      cluster.start(node);
    }
    cluster.onDown = (node) => cluster.clock.after(50, () => cluster.start(node));
    if (withoutQuorum) return;
    this.#runUntil("all is well in the end", () =>
      this.nodes.every((node) => this.#isCurrent(node)),
    );
    compareWhole(this.nodes, 1, cluster.truth.model);
  }
}

function isWell(node: SimNode): boolean {
  return node.established && node.votes;
}

function epochOf({ logSync }: SimNode): number {
  const role = logSync?.role;
  return role?.kind === "leading" ? role.epoch : 0;
}

function named(nodes: readonly SimNode[]): string {
  const ids = nodes.map(({ id }) => id).join(" ");
  return nodes.length === 1 ? `node ${ids} is` : `nodes ${ids} are`;
}
