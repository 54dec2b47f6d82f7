/**
 * The actors of one thread. One loop takes messages in arrival order, calls the actor, and performs its effects; nothing
 * else calls actor code. What a subscriber of a topic or of the inspection stream tells an actor waits in the queue like any other
 * message: in RxJS 7 a `next` made inside a subscriber would overtake the one that caused it.
 */
import type { Observable } from "rxjs";
import { Subject } from "rxjs/internal/Subject";
import type { Actor } from "./actor.ts";
import type { Cell, Queued } from "./cell.ts";
import type { Clock, Randomness } from "./clock.ts";
import type { DiskOperation, DiskPort } from "./disk.ts";
import type { Context, Turn } from "./turn.ts";
import type { ConnectionEffect, Effect, PeerEffect, ServerId } from "./effects.ts";
import { type Decision, type InspectionEvent, kindOf, type StepEvent } from "./inspection.ts";
import { Fifo } from "./fifo.ts";
import type { ThreadMeter } from "./meter.ts";
import type { PeerGate, Publisher, Transport } from "./transport.ts";
import { StepWatch } from "./step-watch.ts";
import { TopicTable } from "./topic-table.ts";
import { Peers, type ReceivedFromPeer } from "./peers.ts";

/** The way to actors of another thread. What it posts is copied there; `post` returns before it has arrived. */
export interface Link {
  /** Letters are about to be posted. Said to all links of a turn before the first of them is posted. */
  announce?(): void;
  post(letters: readonly Letter[]): void;
}

export type Letter = {
  readonly to: string;
  readonly message: object;
  /** With a topic the message is state: the last one under it is told again to a receiver that starts again. */
  readonly topic?: string | undefined;
};

/** Client connections of this thread. */
export interface ConnectionPort {
  perform(effect: ConnectionEffect): void;
}

/** Where a step of an actor can fail: before it, when its state has changed and nothing is performed yet, and at each of its effects. */
export type StepPoint = "before" | "decided" | "effect";

export type SystemOptions = {
  readonly node: ServerId;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** What is sent to other nodes, and what comes from them, passes it. A thread with a transport has one. */
  readonly gate?: PeerGate | undefined;
  /** Where the effects `send`, `broadcast`, `request` go. Without one they are lost, and requests find no responders. */
  readonly transport?: Transport | undefined;
  /** Where `publish` and `offer` go. Default: what is published goes to the transport, and what is offered is dropped. */
  readonly publisher?: Publisher | undefined;
  readonly disk?: DiskPort | undefined;
  readonly connections?: ConnectionPort | undefined;
  /** A step that takes this many milliseconds or more is logged as `slowStep`. Default: none is. */
  readonly slowStepMs?: number | undefined;
  /** Called at each point of each step, under the actor's supervision: the simulator has actors fail here. */
  readonly atStep?: ((point: StepPoint, actor: string, message: object) => void) | undefined;
  /** Is told of turns of the loop, and of the steps that it asks for. Default: nothing is measured. */
  readonly meter?: ThreadMeter | undefined;
  /** The link to the thread where an actor lives that is not of this system. */
  readonly route: (to: string) => Link | undefined;
  /** Called once, when an actor asked for it or failed under supervision `stopNode`. */
  readonly onStopNode: (reason: string) => void;
};

/** Messages handled before the loop lets the thread take in new events. */
const TURN_MESSAGES_MAX = 4096;
/** Peers' messages fill at most 1 / PEERS_PART of a mailbox: peers repeat what matters, and a flood must not stop the node. */
const PEERS_PART = 2;
const FLOOD_SAID_INTERVAL_MS = 1_000;

export class ActorSystem {
  readonly #options: SystemOptions;
  readonly #cells = new Map<string, Cell>();
  readonly #queue = new Fifo<Queued>();
  /** The actors that have asked for an `endOfTurn`, in order. */
  #awaitingEndOfTurn: Cell[] = [];
  readonly #topics = new TopicTable((to, value, state) => this.tell(to, value, state));
  readonly #peers: Peers;
  readonly #inspection = new Subject<InspectionEvent>();
  readonly #watch: StepWatch;
  readonly #outbox = new Map<Link, Letter[]>();
  #floodSaidMs = Number.NEGATIVE_INFINITY;
  #scheduled = false;
  #stopped = false;
  readonly #context: { nowMs: number; wallMs: number } & Omit<Context, "nowMs" | "wallMs">;

  constructor(options: SystemOptions) {
    this.#options = options;
    const { randomness } = options;
    this.#context = {
      nowMs: 0,
      wallMs: 0,
      random: () => randomness.random(),
      randomBytes: (length) => randomness.randomBytes(length),
    };
    const { gate, transport, clock, meter, slowStepMs } = options;
    this.#watch = new StepWatch({
      ...{ node: options.node, clock, meter, slowMs: slowStepMs ?? Number.POSITIVE_INFINITY },
      log: (line) => this.#inspection.next({ kind: "log", ...this.#stamp(), ...line }),
    });
    this.#peers = new Peers({
      gate,
      transport,
      nowMs: () => clock.nowMs(),
      onMessage: (actor, received) => this.#receiveFromPeer(actor, received),
      onLog: (line) =>
        this.#inspection.next({ kind: "log", ...line, ...this.#stamp(), actor: "gate" }),
      tell: (to, message) => this.tell(to, message),
    });
  }

  get inspection$(): Observable<InspectionEvent> {
    return this.#inspection;
  }

  /** What the clock says that its actors see, in milliseconds. */
  get nowMs(): number {
    return this.#options.clock.nowMs();
  }

  /** What each step decides, before it is performed. Subscribers must not change what they are given. */
  get decisions$(): Observable<Decision> {
    return this.#watch.decisions$;
  }

  /** Each step, once it is done. */
  get steps$(): Observable<StepEvent> {
    return this.#watch.steps$;
  }

  /** From now on each value that the actor emits under the topic is told to these actors, on whichever thread they live. */
  wire(actor: string, topic: string, to: readonly string[]): void {
    this.#topics.wire(actor, topic, to);
  }

  /** What an actor emits under a topic from now on; if the topic is a state, what it emitted last comes first. */
  observe(actor: string, topic: string): Observable<object> {
    return this.#topics.observe(actor, topic);
  }

  /** Adds an actor and queues its start. Actors start in the order in which they were added. */
  add<State, Message extends object, E extends Effect>(actor: Actor<State, Message, E>): void {
    const cell: Cell = {
      // The cell alone calls the actor, with its own state and with messages that were told to its name.
      actor: actor as unknown as Actor<unknown, object>,
      meter: this.#options.meter?.stepMeter(actor.name),
      state: undefined,
      incarnation: 0,
      known: new Map(),
      queued: 0,
      timers: new Map(),
      awaitsEndOfTurn: false,
    };
    this.#cells.set(actor.name, cell);
    this.#enqueue({ cell, message: START });
  }

  /** With a topic: the message is state, so it is sent again to a receiver that is started again, until another comes under it. */
  tell(to: string, message: object, topic?: string): void {
    if (this.#stopped) return;
    const cell = this.#cells.get(to);
    if (cell === undefined) {
      this.#tellElsewhere({ to, message, topic });
      return;
    }
    if (cell.queued >= cell.actor.mailbox.capacity) {
      this.#undelivered(to, message, "mailboxFull");
      if (cell.actor.mailbox.whenFull === "stopNode") {
        this.#stopNode(to, `the mailbox of ${to} is full: a sender broke its limit`);
      }
      return;
    }
    this.#enqueue({ cell, message, topic });
  }

  /** The current state, for tests and inspection. Not to be changed. */
  stateOf(actor: string): unknown {
    return this.#cells.get(actor)?.state;
  }

  /** Nothing runs afterwards: timers are cancelled, messages dropped. */
  stop(): void {
    this.#stopped = true;
    for (const cell of this.#cells.values()) {
      for (const cancel of cell.timers.values()) cancel();
      cell.timers.clear();
    }
    this.#topics.complete();
    this.#watch.complete();
    this.#inspection.complete();
  }

  #enqueue(item: Queued): void {
    item.cell.queued += 1;
    this.#queue.push(item);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#options.clock.soon(() => this.#turn());
  }

  #turn(): void {
    this.#context.nowMs = this.#options.clock.nowMs();
    this.#context.wallMs = this.#options.clock.wallMs();
    this.#watch.beginTurn(this.#context.nowMs, this.#queue.length);
    let handled = 0;
    let ends = 0;
    let last: Queued | undefined;
    while (!this.#stopped) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        next.cell.queued -= 1;
        this.#deliver(next);
        last = next;
        handled += 1;
        if (handled >= TURN_MESSAGES_MAX) break;
      } else if (this.#awaitingEndOfTurn.length > 0) {
        ends += this.#endTurn();
      } else {
        break;
      }
    }
    if (last !== undefined) this.#watch.endTurn(handled + ends, last);
    this.#flushLinks();
    // What this turn told its own actors is done, so only what is left over needs another one.
    this.#scheduled = false;
    if (this.#queue.length > 0 || this.#awaitingEndOfTurn.length > 0) this.#schedule();
  }

  /** How many actors have had their `endOfTurn`. */
  #endTurn(): number {
    const cells = this.#awaitingEndOfTurn;
    this.#awaitingEndOfTurn = [];
    for (const cell of cells) {
      // It may have been started again meanwhile.
      if (!cell.awaitsEndOfTurn) continue;
      cell.awaitsEndOfTurn = false;
      this.#deliver({ cell, message: END_OF_TURN });
    }
    return cells.length;
  }

  #deliver({ cell, message, topic, incarnation }: Queued): void {
    if (this.#stopped || (incarnation !== undefined && incarnation !== cell.incarnation)) return;
    const { actor } = cell;
    if (topic !== undefined && actor.supervision === "restart") cell.known.set(topic, message);
    try {
      this.#step(cell, message);
    } catch (error) {
      this.#inspection.next({
        kind: "failed",
        ...this.#stamp(),
        actor: actor.name,
        message: kindOf(message),
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        supervision: actor.supervision,
      });
      this.#supervise({ cell, message, topic }, error);
    }
  }

  /** What the actor decides, and what it asks for: an effect that cannot be performed is a failure of the actor too. */
  #step(cell: Cell, message: object): void {
    const { actor } = cell;
    const { atStep } = this.#options;
    const startedMs = this.#watch.startStep(cell, message);
    atStep?.("before", actor.name, message);
    const turn = this.#newTurn(cell);
    if (message === START) cell.state = actor.start(turn);
    else actor.receive(turn, message);
    const { effects } = turn;
    if (startedMs !== undefined) this.#watch.decided({ cell, message, effects });
    atStep?.("decided", actor.name, message);
    this.#performAll(cell, effects, message);
    if (startedMs !== undefined) this.#watch.done({ cell, message, effects }, startedMs);
  }

  #newTurn({ state }: Cell): Turn<unknown> {
    // Written out: this is done for every message, and a spread takes several times as long.
    const { nowMs, wallMs, random, randomBytes } = this.#context;
    return { state, effects: [], nowMs, wallMs, random, randomBytes };
  }

  /** `message`: of the step that asked for them; a recovery has none. */
  #performAll(cell: Cell, effects: readonly Effect[], message?: object): void {
    const { atStep } = this.#options;
    let failure: { readonly error: unknown } | undefined;
    for (const effect of effects) {
      if (this.#stopped) return;
      try {
        if (message !== undefined) atStep?.("effect", cell.actor.name, message);
        this.#perform(cell, effect);
      } catch (error) {
        if (cell.actor.supervision === "stopNode") throw error;
        // Other receivers wait for the other effects, so they are performed.
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  #supervise({ cell, message, topic }: Queued, error: unknown): void {
    const { actor } = cell;
    try {
      if (actor.supervision === "restart" && message !== START) {
        this.#restart(cell);
        return;
      }
      if (actor.supervision === "recover" && actor.recover !== undefined && message !== START) {
        const turn = this.#newTurn(cell);
        actor.recover(turn, message, error);
        this.#performAll(cell, turn.effects);
        // A state that is not told again would stay unknown until it changes.
        if (topic !== undefined) this.#step(cell, message);
        return;
      }
    } catch (again) {
      this.#stopNode(actor.name, `${actor.name} failed while it recovered: ${String(again)}`);
      return;
    }
    this.#stopNode(actor.name, `${actor.name} failed: ${String(error)}`);
  }

  /** The actor is told again the states that it knew. Answers to what it had asked for before do not reach it any more. */
  #restart(cell: Cell): void {
    for (const cancel of cell.timers.values()) cancel();
    cell.timers.clear();
    cell.awaitsEndOfTurn = false;
    cell.incarnation += 1;
    this.#step(cell, START);
    for (const known of cell.known.values()) this.#step(cell, known);
  }

  #perform(cell: Cell, effect: Effect): void {
    const { transport } = this.#options;
    switch (effect.kind) {
      case "tell":
        this.tell(effect.to, effect.message);
        return;
      case "startTimer":
        this.#startTimer(cell, effect.timer, effect.afterMs);
        return;
      case "stopTimer":
        cell.timers.get(effect.timer)?.();
        cell.timers.delete(effect.timer);
        return;
      case "endOfTurn":
        this.#awaitEndOfTurn(cell);
        return;
      case "emit":
        this.#topics.emit(cell.actor.name, effect);
        return;
      case "log":
        this.#inspection.next({ ...effect, ...this.#stamp(), actor: cell.actor.name });
        return;
      case "disk":
        this.#performDisk(cell, effect.tag, effect.operations);
        return;
      case "publish":
        (this.#options.publisher ?? transport)?.publish(effect.subject, effect.bytes);
        return;
      case "offer":
        this.#options.publisher?.offer(effect.messages);
        return;
      case "stopNode":
        this.#stopNode(cell.actor.name, effect.reason);
        return;
      case "send":
      case "broadcast":
      case "request":
      case "answer":
        this.#performPeer(cell, effect);
        return;
      default:
        this.#options.connections?.perform(effect);
    }
  }

  #performPeer(cell: Cell, effect: PeerEffect): void {
    const { incarnation } = cell;
    this.#peers.perform(effect, (outcome) => this.#tellCell(cell, incarnation, outcome));
  }

  #awaitEndOfTurn(cell: Cell): void {
    if (cell.awaitsEndOfTurn) return;
    cell.awaitsEndOfTurn = true;
    this.#awaitingEndOfTurn.push(cell);
    this.#schedule();
  }

  #startTimer(cell: Cell, timer: string, afterMs: number): void {
    cell.timers.get(timer)?.();
    const { incarnation } = cell;
    const cancel = this.#options.clock.after(afterMs, () => {
      // A timer that was stopped or restarted while its firing was queued must not fire.
      if (cell.timers.get(timer) !== cancel) return;
      cell.timers.delete(timer);
      this.#tellCell(cell, incarnation, { kind: "timer", timer });
    });
    cell.timers.set(timer, cancel);
  }

  #performDisk(cell: Cell, tag: number, operations: readonly DiskOperation[]): void {
    const { disk } = this.#options;
    const { actor, incarnation } = cell;
    if (disk === undefined) throw new Error(`${actor.name} has no disk on this thread`);
    disk.perform(tag, operations, (outcome, heldUpMs) => {
      this.#watch.heldUp(actor.name, heldUpMs);
      this.#tellCell(cell, incarnation, outcome);
    });
  }

  /** Messages of the runtime itself are never refused for a full mailbox: the actor asked for them. */
  #tellCell(cell: Cell, incarnation: number, message: object): void {
    if (!this.#stopped) this.#enqueue({ cell, message, incarnation });
  }

  /** Whether the message was taken. */
  #receiveFromPeer(actor: string, received: ReceivedFromPeer): boolean {
    if (this.#stopped) return false;
    const cell = this.#cells.get(actor);
    if (cell === undefined) {
      this.#undelivered(actor, received.message, "noSuchActor");
      return false;
    }
    if (cell.queued >= cell.actor.mailbox.capacity / PEERS_PART) {
      this.#flooded(cell, received.message);
      return false;
    }
    this.#enqueue({ cell, message: received });
    return true;
  }

  /** Logged at most once a second: a flood of messages must not become a flood of lines. */
  #flooded(cell: Cell, message: object): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#floodSaidMs < FLOOD_SAID_INTERVAL_MS) return;
    this.#floodSaidMs = nowMs;
    this.#undelivered(cell.actor.name, message, "mailboxFull");
  }

  #tellElsewhere(letter: Letter): void {
    const link = this.#options.route(letter.to);
    if (link === undefined) {
      this.#undelivered(letter.to, letter.message, "noSuchActor");
      return;
    }
    const letters = this.#outbox.get(link);
    if (letters === undefined) this.#outbox.set(link, [letter]);
    else letters.push(letter);
    this.#schedule();
  }

  #flushLinks(): void {
    for (const link of this.#outbox.keys()) link.announce?.();
    for (const [link, letters] of this.#outbox) link.post(letters);
    this.#outbox.clear();
  }

  #undelivered(to: string, message: object, reason: "noSuchActor" | "mailboxFull"): void {
    const event = { kind: "undelivered", to, message: kindOf(message), reason } as const;
    this.#inspection.next({ ...event, ...this.#stamp() });
  }

  #stopNode(actor: string, reason: string): void {
    if (this.#stopped) return;
    this.#inspection.next({ kind: "stopNode", ...this.#stamp(), actor, reason });
    this.stop();
    this.#options.onStopNode(reason);
  }

  #stamp(): { readonly atMs: number; readonly node: ServerId } {
    return { atMs: this.#options.clock.wallMs(), node: this.#options.node };
  }
}

const START: object = { kind: "start" };
const END_OF_TURN: object = { kind: "endOfTurn" };
