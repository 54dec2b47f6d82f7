/**
 * Queues: each job that was put is done once or is a dead letter, nobody has a job beside somebody else, its tries are counted, and a
 * consumer that is alone takes by priority and in the order of the puts. Nothing of a job that was not done is done.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Job, json, key, NotAcquiredError, type Queue } from "../../../../client/connect.ts";
import type { Client } from "../../../../testing/ensemble.ts";
import { FencedStore, Holders, type Violated } from "../holders.ts";
import {
  isOutcome,
  namesBelow,
  overAndOver,
  type Part,
  rest,
  type Surroundings,
  type User,
  violatedAt,
} from "../part.ts";

type Value = { readonly id: string; readonly isPoison: boolean };

type Put = Value & {
  readonly priority: number;
  readonly beganMs: number;
  endedMs: number;
  outcome: "under way" | "done" | "doubtful" | "not done";
};

/** What is known of one job, by its name. */
type Known = {
  readonly id: string;
  readonly holders: Holders;
  readonly store: FencedStore;
  readonly takes: { readonly fence: bigint; readonly tries: number }[];
  /** When somebody began to end it, or tried it for the last time: it may be gone from then on. */
  endingMs: number;
};

const PATH = "/queues/all";
const ITEMS = `${PATH}/items`;
const EFFECTS = "/effects/queue";
const TRIES = 3;
const PRIORITIES = [1, 100, 500] as const;

const schema: StandardSchemaV1<Value> = {
  "~standard": {
    version: 1,
    vendor: "campaign",
    validate: (value) => {
      const { id } = (value ?? {}) as Partial<Value>;
      return typeof id === "string"
        ? { value: value as Value }
        : { issues: [{ message: "it has no id" }] };
    },
  },
};
const Jobs = key(PATH, { codec: json, schema });

export class QueuePart implements Part {
  readonly #surroundings: Surroundings;
  readonly #violated: Violated;
  readonly #queues = new Map<User, Queue<Value, Value>>();
  readonly #puts = new Map<string, Put>();
  /** What was put as an item without being a value: it has to be a dead letter. */
  readonly #bad = new Set<string>();
  readonly #known = new Map<string, Known>();
  readonly #certain = new Map<string, number>();
  readonly #doubtful = new Map<string, number>();
  /** How many takes have ended with an error that may have cost a try. */
  #failedTakes = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#violated = violatedAt("queue", surroundings);
  }

  async prepare(witness: Client): Promise<void> {
    await witness.create(EFFECTS, null, { parents: true });
  }

  async use(user: User): Promise<void> {
    const queue = user.client.queue(Jobs, { tries: TRIES });
    this.#queues.set(user, queue);
    await Promise.all([
      overAndOver(user, 900, async () => this.#produce(user, queue)),
      overAndOver(user, 200, async () => this.#consume(user, queue)),
      overAndOver(user, 200, async () => this.#consume(user, queue)),
    ]);
  }

  async #produce(user: User, queue: Queue<Value, Value>): Promise<void> {
    const { random, client } = user;
    const id = `${user.name}-${this.#puts.size + this.#bad.size}`;
    if (random.random() < 0.06) {
      const { path } = await client.create(`${ITEMS}/100-${id}-`, `{${id}`, { sequential: true });
      this.#bad.add(path.slice(ITEMS.length + 1));
      return;
    }
    const isPoison = random.random() < 0.12;
    const priority = PRIORITIES[Math.floor(random.random() * PRIORITIES.length)] ?? 100;
    await this.#put(queue, { id, isPoison }, priority);
  }

  async #put(queue: Queue<Value, Value>, value: Value, priority: number): Promise<void> {
    const beganMs = this.#surroundings.ensemble.nowMs;
    const put: Put = { ...value, priority, beganMs, endedMs: Infinity, outcome: "under way" };
    this.#puts.set(put.id, put);
    try {
      await queue.put(value, { priority });
      put.outcome = "done";
    } catch (error) {
      if (!isOutcome(error)) throw error;
      put.outcome = error.maybeApplied === "no" ? "not done" : "doubtful";
      throw error;
    } finally {
      put.endedMs = this.#surroundings.ensemble.nowMs;
    }
  }

  async #consume(user: User, queue: Queue<Value, Value>): Promise<void> {
    const job = await this.#taken(queue, 1_000);
    if (job === undefined) return;
    const known = this.#noted(job);
    if (!job.signal.aborted) known.holders.granted(job, user.isPaused);
    const release = user.holds();
    const { random } = user;
    try {
      const before = known.store.read(job.fence);
      await rest(user, random.random() < 0.1 ? 3_000 : 300);
      if (job.remainingMs > 0) known.holders.isAlone(job);
      if (before !== undefined) known.store.write(job.fence, before + 1);
      if (!job.value.isPoison && random.random() < 0.8) await this.#done(job, known);
    } finally {
      release();
      await job.release();
    }
  }

  async #taken(queue: Queue<Value, Value>, waitMs: number): Promise<Job<Value> | undefined> {
    try {
      return await queue.take({ waitMs });
    } catch (error) {
      if (error instanceof NotAcquiredError) return undefined;
      this.#failedTakes += 1;
      throw error;
    }
  }

  #noted(job: Job<Value>): Known {
    const { ensemble, figures } = this.#surroundings;
    figures.add("jobs taken");
    const { name, value, tries, fence } = job;
    if (!this.#puts.has(value.id)) this.#violated(`a job that nobody has put: ${name}`);
    const known = this.#known.get(name) ?? {
      id: value.id,
      holders: new Holders(name, this.#violated),
      store: new FencedStore(),
      takes: [],
      endingMs: Infinity,
    };
    this.#known.set(name, known);
    if (tries < 1 || tries > TRIES) this.#violated(`${name} is tried for the ${tries}th time`);
    for (const other of known.takes) {
      if (other.fence < fence === other.tries < tries) continue;
      this.#violated(`${name}: try ${tries} has not more than try ${other.tries} before it`);
    }
    known.takes.push({ fence, tries });
    if (tries === TRIES) known.endingMs = Math.min(known.endingMs, ensemble.nowMs);
    return known;
  }

  async #done(job: Job<Value>, known: Known): Promise<void> {
    const { id } = job.value;
    known.endingMs = Math.min(known.endingMs, this.#surroundings.ensemble.nowMs);
    const count = (counts: Map<string, number>): void => {
      counts.set(id, (counts.get(id) ?? 0) + 1);
    };
    try {
      await job.done((t) => [t.create(`${EFFECTS}/${id}-`, null, { sequential: true })]);
      count(this.#certain);
      this.#surroundings.figures.add("jobs done");
    } catch (error) {
      if (!isOutcome(error)) throw error;
      if (error.maybeApplied !== "no") count(this.#doubtful);
      throw error;
    }
  }

  async checkEnd(users: readonly User[], witness: Client): Promise<void> {
    const ends = witness.queue(Jobs, { tries: TRIES });
    for (const user of users) {
      const queue = this.#queues.get(user);
      if (queue === undefined) continue;
      for (const [index, priority] of [500, 100, 1, 100].entries()) {
        await this.#put(ends, { id: `end-${user.name}-${index}`, isPoison: index === 1 }, priority);
      }
      await this.#surroundings.ensemble.advance(1_000);
      await this.#drain(user, queue);
      const left = await ends.length({ timeoutMs: 10_000 });
      if (left > 0) this.#violated(`${left} jobs are left that ${user.name} does not take`);
      queue[Symbol.dispose]();
    }
    if (users.length > 0) await this.#account(witness);
    for (const { store, id, takes } of this.#known.values()) {
      const last = Math.max(...takes.map(({ tries }) => tries));
      if (last > takes.length + this.#failedTakes) {
        this.#violated(`${id}: try ${last} is one of ${takes.length} that somebody has seen`);
      }
      const { value, writes } = store;
      if (value !== writes) this.#violated(`${id}: ${writes} writes outside made ${value}`);
      this.#surroundings.figures.add("late writes refused", store.refusals);
    }
  }

  /** Takes all there is, alone. */
  async #drain(user: User, queue: Queue<Value, Value>): Promise<void> {
    let last: Put | undefined;
    for (;;) {
      const job = await this.#taken(queue, 2_000);
      if (job === undefined) return;
      const known = this.#noted(job);
      known.holders.granted(job, user.isPaused);
      const put = this.#puts.get(job.value.id) as Put;
      if (last !== undefined && isBefore(put, last)) {
        this.#violated(`${put.id} comes after ${last.id}`);
      }
      last = put;
      if (!put.isPoison) await this.#done(job, known);
      await job.release();
    }
  }

  async #account(witness: Client): Promise<void> {
    const results = await idsBelow(witness);
    const letters = new Map<string, string[]>();
    for (const { name, data } of await witness.queue(Jobs).deadLetters()) {
      const text = new TextDecoder().decode(data ?? undefined);
      if (this.#bad.delete(name)) continue;
      // One whose put was in doubt.
      if (text.startsWith("{") && !text.startsWith('{"')) continue;
      const { id } = JSON.parse(text) as Value;
      letters.set(id, [...(letters.get(id) ?? []), name]);
    }
    for (const name of this.#bad) this.#violated(`${name} is no value, and no dead letter`);
    for (const put of this.#puts.values()) {
      this.#checkPut(put, results.get(put.id) ?? 0, letters.get(put.id) ?? []);
      results.delete(put.id);
      letters.delete(put.id);
    }
    for (const id of [...results.keys(), ...letters.keys()]) this.#violated(`${id}: nobody's`);
  }

  #checkPut(put: Put, results: number, letters: readonly string[]): void {
    const { id, outcome } = put;
    const certain = this.#certain.get(id) ?? 0;
    const most = certain + (this.#doubtful.get(id) ?? 0);
    if (results < certain || results > most) {
      this.#violated(`${id}: ${results} results, of ${certain} to ${most} that were stored`);
    }
    const ends = results + letters.length;
    if (outcome === "done" && ends === 0) this.#violated(`${id} is lost`);
    if (outcome === "not done" && ends > 0) this.#violated(`${id} was put with the error "no"`);
    const taken = [...this.#known].filter(([, known]) => known.id === id);
    const copies = new Set([...taken.map(([name]) => name), ...letters]);
    if (ends > Math.max(1, copies.size)) this.#violated(`${id} has ended ${ends} times`);
    // It is put again only where the first has ended when it is looked for.
    const waiting = taken.filter(([name, { endingMs }]) => {
      return endingMs > put.endedMs && !letters.includes(name);
    });
    if (waiting.length > 1) this.#violated(`${id} was put ${copies.size} times`);
    for (const name of letters) {
      this.#surroundings.figures.add("dead letters");
      const seen = this.#known.get(name)?.takes.length ?? 0;
      if (seen + this.#failedTakes < TRIES) this.#violated(`${id} is dead after ${seen} tries`);
    }
  }
}

function isBefore(one: Put, other: Put): boolean {
  if (one.priority !== other.priority) return one.priority < other.priority;
  return one.endedMs < other.beganMs;
}

/** How many results each job has stored, by its id. */
async function idsBelow(witness: Client): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const name of await namesBelow(witness, EFFECTS)) {
    const id = name.slice(0, name.lastIndexOf("-"));
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}
