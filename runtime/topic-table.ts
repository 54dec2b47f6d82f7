/** The topics of one thread: who is told what its actors emit, and who observes it. */
import type { Observable } from "rxjs";
import { defer } from "rxjs/internal/observable/defer";
import { startWith } from "rxjs/internal/operators/startWith";
import { Subject } from "rxjs/internal/Subject";
import type { EmitEffect } from "./effects.ts";

/** What is emitted by one actor under one topic. */
type Emitted = {
  /** Names the topic of this actor among all topics. */
  readonly key: string;
  readonly to: string[];
  /** The last value of a state. */
  kept: object | undefined;
  observed: Subject<object> | undefined;
};

export class TopicTable {
  readonly #tell: (to: string, value: object, state: string | undefined) => void;
  /** By actor and then by topic: values are emitted often, and no key is put together for it. */
  readonly #emitted = new Map<string, Map<string, Emitted>>();
  #isOver = false;

  /** `tell` is given the name of the state with each value of a state, and undefined with an event. */
  constructor(tell: (to: string, value: object, state: string | undefined) => void) {
    this.#tell = tell;
  }

  wire(actor: string, topic: string, to: readonly string[]): void {
    this.#of(actor, topic).to.push(...to);
  }

  emit(actor: string, { topic, value, keep }: EmitEffect): void {
    const emitted = this.#of(actor, topic);
    if (keep) emitted.kept = value;
    const state = keep ? emitted.key : undefined;
    for (const to of emitted.to) this.#tell(to, value, state);
    emitted.observed?.next(value);
  }

  observe(actor: string, topic: string): Observable<object> {
    const emitted = this.#of(actor, topic);
    return defer(() => {
      const subject = this.#subject(emitted);
      return emitted.kept === undefined ? subject : subject.pipe(startWith(emitted.kept));
    });
  }

  /** Whoever observes is told that nothing more comes, now or when it begins to observe. */
  complete(): void {
    this.#isOver = true;
    for (const topics of this.#emitted.values()) {
      for (const { observed } of topics.values()) observed?.complete();
    }
  }

  #of(actor: string, topic: string): Emitted {
    let topics = this.#emitted.get(actor);
    if (topics === undefined) {
      topics = new Map();
      this.#emitted.set(actor, topics);
    }
    let emitted = topics.get(topic);
    if (emitted === undefined) {
      emitted = { key: `${actor} ${topic}`, to: [], kept: undefined, observed: undefined };
      topics.set(topic, emitted);
    }
    return emitted;
  }

  #subject(emitted: Emitted): Subject<object> {
    if (emitted.observed === undefined) {
      emitted.observed = new Subject<object>();
      if (this.#isOver) emitted.observed.complete();
    }
    return emitted.observed;
  }
}
