/**
 * What reaches the actors of a lane: letters from the main thread, and what clients send, which comes over sockets of the lane's own. It
 * must not overtake letters: what one lane has told its client, a client of another lane of the node may have heard, and a lane that
 * has not yet applied it would answer with an older state. Clients of one Apache ZooKeeper server never see that, since a reply leaves
 * when the server's only tree has changed (`FinalRequestProcessor`).
 *
 * So the main thread counts, in memory that it shares with each lane, the posts of letters that are about to be made: for all lanes, before
 * it makes the first of a turn. Whoever has heard of what one lane had from such a post comes to another lane after its post was
 * counted, and waits there until the letters have come.
 */
import { Fifo } from "../fifo.ts";
import type { ActorSystem, Letter } from "../system.ts";

/** How many posts of letters to a lane are made or about to be made. The numbers go round. */
export type AnnouncedPosts = Int32Array<SharedArrayBuffer>;

export function newAnnouncedPosts(): AnnouncedPosts {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** The other end: a post is about to be made. */
export function announcePost(announced: AnnouncedPosts): void {
  Atomics.add(announced, 0, 1);
}

type Held = {
  readonly to: string;
  readonly message: object;
  /** Posts that were announced when it came. */
  readonly after: number;
};

export class Inlet {
  readonly #announced: AnnouncedPosts;
  readonly #held = new Fifo<Held>();
  /** Posts whose letters came before there was a system. */
  #early: (readonly Letter[])[] = [];
  #system: Pick<ActorSystem, "tell"> | undefined;
  #received: number;

  /** `received`: posts that were made before, and are not waited for. */
  constructor(announced: AnnouncedPosts, received = 0) {
    this.#announced = announced;
    this.#received = received;
  }

  /** From now on there are actors, which are told what has come before. */
  open(system: Pick<ActorSystem, "tell">): void {
    this.#system = system;
    const early = this.#early;
    this.#early = [];
    for (const letters of early) this.receive(letters);
    this.#release(system);
  }

  /** The letters of a post have come. */
  receive(letters: readonly Letter[]): void {
    const system = this.#system;
    if (system === undefined) {
      this.#early.push(letters);
      return;
    }
    for (const { to, message, topic } of letters) system.tell(to, message, topic);
    this.#received = (this.#received + 1) | 0;
    this.#release(system);
  }

  /** A client's message: the actor is told once the letters have come that were announced before it. */
  hear(to: string, message: object): void {
    const after = Atomics.load(this.#announced, 0);
    if (this.#system === undefined || this.#isAhead(after)) {
      this.#held.push({ to, message, after });
    } else {
      this.#system.tell(to, message);
    }
  }

  #release(system: Pick<ActorSystem, "tell">): void {
    for (;;) {
      const { first } = this.#held;
      if (first === undefined || this.#isAhead(first.after)) return;
      this.#held.shift();
      system.tell(first.to, first.message);
    }
  }

  /** Letters of so many posts have not come yet. */
  #isAhead(announced: number): boolean {
    return ((announced - this.#received) | 0) > 0;
  }
}
