/** The topics of one thread: who is told what its actors emit, and who observes it. */
import { defer, type Observable, startWith, Subject } from "rxjs";
import type { EmitEffect } from "./effects.ts";

export class TopicTable {
  readonly #tell: (to: string, value: object, state: string | undefined) => void;
  readonly #wires = new Map<string, string[]>();
  /** The last value of each state. */
  readonly #kept = new Map<string, object>();
  readonly #observed = new Map<string, Subject<object>>();
  #isOver = false;

  /** `tell` is given the name of the state with each value of a state, and undefined with an event. */
  constructor(tell: (to: string, value: object, state: string | undefined) => void) {
    this.#tell = tell;
  }

  wire(actor: string, topic: string, to: readonly string[]): void {
    const key = keyOf(actor, topic);
    this.#wires.set(key, [...(this.#wires.get(key) ?? []), ...to]);
  }

  emit(actor: string, { topic, value, keep }: EmitEffect): void {
    const key = keyOf(actor, topic);
    if (keep) this.#kept.set(key, value);
    for (const to of this.#wires.get(key) ?? []) this.#tell(to, value, keep ? key : undefined);
    this.#observed.get(key)?.next(value);
  }

  observe(actor: string, topic: string): Observable<object> {
    const key = keyOf(actor, topic);
    return defer(() => {
      const last = this.#kept.get(key);
      const subject = this.#subject(key);
      return last === undefined ? subject : subject.pipe(startWith(last));
    });
  }

  /** Whoever observes is told that nothing more comes, now or when it begins to observe. */
  complete(): void {
    this.#isOver = true;
    for (const subject of this.#observed.values()) subject.complete();
  }

  #subject(key: string): Subject<object> {
    let subject = this.#observed.get(key);
    if (subject === undefined) {
      subject = new Subject<object>();
      if (this.#isOver) subject.complete();
      this.#observed.set(key, subject);
    }
    return subject;
  }
}

function keyOf(actor: string, topic: string): string {
  return `${actor} ${topic}`;
}
