/** Mistakes of recipes beside locks and elections, and of what they count on: they are planted in the campaign of `test/sim/recipes/`. */
import type { Mutant } from "./mutant.ts";

const BELOW = "client/recipes/below.ts";
const CONFIG = "client/recipes/config.ts";
const COUNTER = "client/recipes/counter.ts";
const CRON = "client/recipes/cron.ts";
const FOLLOWING = "client/recipes/following.ts";
const ONCE = "client/recipes/once.ts";
const OWN_ZNODE = "client/recipes/own-znode.ts";
const QUEUE = "client/recipes/queue.ts";
const QUEUE_VIEW = "client/recipes/queue-view.ts";
const RATE_LIMIT = "client/recipes/rate-limit.ts";
const SERVICE = "client/recipes/service.ts";
const TURNS = "client/recipes/turns.ts";

const QUEUE_MUTANTS: readonly Omit<Mutant, "campaign">[] = [
  {
    name: "queue-job-out-with-its-holder",
    mistake: "a job that is given back undone is taken out of the queue all the same",
    edits: [
      {
        file: QUEUE,
        find: "    this.tries = job.tries;",
        replace: `    this.tries = job.tries;
    const out = () => this.release().then(() => client.delete(job.item)).catch(() => undefined);
    this.signal.addEventListener("abort", () => void out());`,
      },
    ],
  },
  {
    name: "queue-result-apart-from-the-end",
    mistake:
      "the result of a job is stored first, and the job is taken out by a second transaction",
    edits: [
      {
        file: QUEUE,
        find: "    const transaction = this.#client.transaction((make) => {",
        replace: `    await this.#client.transaction((make) => result?.(make) ?? []).commit(options);
    const transaction = this.#client.transaction((make) => {`,
      },
      {
        file: QUEUE,
        find: "return [...steps, make.delete(this.path), make.delete(this.#item)];",
        replace: "return [make.delete(this.path), make.delete(this.#item)] as never;",
      },
    ],
  },
  {
    name: "queue-tries-not-looked-at",
    mistake: "a job is tried again and again, and never becomes a dead letter",
    edits: [{ file: QUEUE, find: "stat.version >= this.#tries", replace: "stat.version < 0" }],
  },
  {
    name: "queue-tries-not-kept",
    mistake: "every consumer is told that it is the first",
    edits: [{ file: QUEUE, find: "tries: stat.version + 1 };", replace: "tries: 1 };" }],
  },
  {
    name: "queue-dead-too-early",
    mistake: "a job is a dead letter before its last try",
    edits: [
      {
        file: QUEUE,
        find: "stat.version >= this.#tries",
        replace: "stat.version + 1 >= this.#tries",
      },
    ],
  },
  {
    name: "queue-dead-letter-lost",
    mistake: "a job that was tried in vain is deleted, and is no dead letter",
    edits: [
      {
        file: QUEUE,
        find: "          make.create(childPath(this.#dead, name), data),\n",
        replace: "",
      },
    ],
  },
  {
    name: "queue-put-again-without-a-look",
    mistake: "a put whose answer was lost is made again although the job is there",
    edits: [
      {
        file: QUEUE,
        find: "if (found !== undefined) return found;",
        replace: 'if (found !== undefined && guid === "") return found;',
      },
    ],
  },
  {
    name: "queue-end-in-doubt-said-again",
    mistake: "an end whose answer was lost, and whose job is lost too, is said to be refused",
    edits: [{ file: TURNS, find: "    throw lost;\n", replace: "" }],
  },
  {
    name: "queue-in-the-order-of-names",
    mistake: "jobs of one priority are sorted by what was drawn for their names",
    edits: [
      {
        file: QUEUE_VIEW,
        find: "name.slice(0, PRIORITY_DIGITS) + name.slice(-SEQUENCE_DIGITS) + name",
        replace: "name",
      },
    ],
  },
  {
    name: "queue-given-back-unseen",
    mistake: "a consumer does not see that a job was given back",
    edits: [
      {
        file: QUEUE_VIEW,
        find: 'isFree: kind === "deleted"',
        replace: "isFree: false",
      },
    ],
  },
  {
    name: "turn-without-version",
    mistake: "a turn is taken whatever has happened since the znode was read",
    edits: [
      { file: TURNS, find: "make.set(path, data, { version }),", replace: "make.set(path, data)," },
    ],
  },
];

const RUN_MUTANTS: readonly Omit<Mutant, "campaign">[] = [
  {
    name: "once-result-without-condition",
    mistake: "the result of a run is stored also when its turn was lost",
    edits: [
      {
        file: ONCE,
        find: "[make.set(path, data), make.delete(held.path)]",
        replace: "[make.set(path, data)] as never",
      },
      {
        file: TURNS,
        find: "const guarded = transaction.if(claim.isHeld);",
        replace: "const guarded = transaction;",
      },
    ],
  },
  {
    name: "once-runs-again",
    mistake: "the work runs again although its result is there",
    edits: [
      {
        file: ONCE,
        find: "if (state.tick === tick && state.isDone) {",
        replace: "if (state.tick === tick && state.isDone && tick !== 0) {",
      },
    ],
  },
  {
    name: "cron-tick-without-condition",
    mistake: "a planned time is run also when a later one has run",
    edits: [
      {
        file: ONCE,
        find: "if (state.tick > tick) return",
        replace: "if (tick === 0 && state.tick > tick) return",
      },
    ],
  },
  {
    name: "cron-by-its-own-clock",
    mistake: "the tick is when an instance wakes, not the planned time",
    edits: [{ file: CRON, find: "tick: planned.getTime() }", replace: "tick: this.#wallMs() }" }],
  },
  {
    name: "cron-runs-again-what-threw",
    mistake: "work that throws leaves its planned time to the next instance",
    edits: [{ file: CRON, find: "failure = { error };", replace: "throw error;" }],
  },
];

const NUMBER_MUTANTS: readonly Omit<Mutant, "campaign">[] = [
  {
    name: "rate-bucket-without-version",
    mistake: "the bucket is moved whatever others have done since it was read",
    edits: [
      {
        file: RATE_LIMIT,
        find: "{ format: FORMAT, untilMs }, { version }",
        replace: "{ format: FORMAT, untilMs }, version < 0 ? { version } : {}",
      },
    ],
  },
  {
    name: "rate-block-in-doubt-is-spent",
    mistake: "a block whose answer was lost with the connection is spent",
    edits: [
      {
        file: RATE_LIMIT,
        find: "error instanceof refusal)) return false;",
        replace: "error instanceof refusal)) return error instanceof ConnectionLossError;",
      },
    ],
  },
  {
    name: "rate-quiet-time-adds-up",
    mistake: "in a quiet time more tokens come together than the burst",
    edits: [
      {
        file: RATE_LIMIT,
        find: "const start = Math.max(bucket.untilMs, leaderMs);",
        replace: "const start = bucket.untilMs;",
      },
      {
        file: RATE_LIMIT,
        find: "Math.max(0, untilMs - leaderMs)",
        replace: "(untilMs - leaderMs)",
      },
    ],
  },
  {
    name: "rate-tokens-of-a-refusal-are-gone",
    mistake: "who asks for a fresh stamp takes a burst that nobody spends",
    edits: [
      {
        file: RATE_LIMIT,
        find: "        if (!isOld) return;\n        await this.#written(bucket, bucket.untilMs);",
        replace:
          "        if (!isOld) return;\n        await this.#written(bucket, bucket.untilMs + 8_000);",
      },
    ],
  },
  {
    name: "counter-without-version",
    mistake: "a change overwrites what others have counted since the number was read",
    edits: [
      {
        file: COUNTER,
        find: "next, { ...options, version: now.stat.version }",
        replace: "next, options",
      },
    ],
  },
  {
    name: "counter-forgets-its-doubt",
    mistake: "a change whose answer was lost is made again without a look at what became of it",
    edits: [
      { file: COUNTER, find: "if (isUndecided(doubt, now)) throw doubt.error;", replace: "" },
    ],
  },
  {
    name: "counter-says-no-in-doubt",
    mistake: "the error of the look is told as that of the change, which may have been done",
    edits: [
      { file: COUNTER, find: "throw inDoubt(error, doubt?.error);", replace: "throw error;" },
    ],
  },
];

const FOLLOWER_MUTANTS: readonly Omit<Mutant, "campaign">[] = [
  {
    name: "follower-misses-what-comes-after-the-read",
    mistake: "a stream begins at what the client has seen by then, not at what was read",
    edits: [
      { file: FOLLOWING, find: "{ path, recursive, after },", replace: "{ path, recursive }," },
    ],
  },
  {
    name: "follower-sleeps-over-a-change",
    mistake: "a change that comes while the last one is read wakes nobody",
    edits: [
      {
        file: FOLLOWING,
        find: "if (this.#isAwake || this.#stopped.signal.aborted) return;",
        replace: "if (this.#stopped.signal.aborted) return;",
      },
    ],
  },
  {
    name: "follower-ignores-a-gap",
    mistake: "after a gap only the changes that came before it are looked at",
    edits: [
      {
        file: FOLLOWING,
        find: "          this.#unsubscribe = undefined;\n          this.#changes = undefined;",
        replace: "          this.#unsubscribe = undefined;",
      },
    ],
  },
  {
    name: "follower-is-not-subscribed-again",
    mistake: "after a gap it reads once, and follows nothing",
    edits: [
      {
        file: FOLLOWING,
        find: "          this.#unsubscribe = undefined;\n          this.#changes = undefined;",
        replace: "          this.#changes = undefined;",
      },
    ],
  },
  {
    name: "config-without-its-schema",
    mistake: "a value that the schema does not take is shown",
    edits: [
      {
        file: CONFIG,
        find: "const value = (await decoded(key, data)) as Value;\n    return",
        replace:
          "const value = (await decoded(new Key(key.path, key.codec, undefined), data)) as Value;\n    return",
      },
    ],
  },
  {
    name: "config-keeps-its-problem",
    mistake: "a problem is still told when the value is right again",
    edits: [
      {
        file: CONFIG,
        find: '    this.#problem = undefined;\n    this.#source = "ensemble";',
        replace: '    this.#source = "ensemble";',
      },
    ],
  },
  {
    name: "config-shows-only-the-first",
    mistake: "`value` follows, and `value$` does not",
    edits: [
      {
        file: CONFIG,
        find: "else if (!isSame) this.#values.next(value);",
        replace: "else if (isSame) this.#values.next(value);",
      },
    ],
  },
  {
    name: "service-keeps-what-an-instance-said",
    mistake: "the data of a znode that was changed is not read again",
    edits: [
      {
        file: BELOW,
        find: "if (parentOf(path) === this.#path) known.delete(nameOf(path));",
        replace: "if (parentOf(path) === path) known.delete(nameOf(path));",
      },
    ],
  },
  {
    name: "service-registered-unknowingly",
    mistake: "an instance whose registration was given up in doubt stays",
    edits: [
      {
        file: OWN_ZNODE,
        find: "if (mayBeMine || isUnknown) void deletedIfOwn(client, path);",
        replace: "",
      },
      {
        file: OWN_ZNODE,
        find: "if (mayBeMine && isOwn(client, stat)) return stat;",
        replace: "",
      },
    ],
  },
  {
    name: "service-picks-the-same",
    mistake: "the instance that was picked last is picked again",
    edits: [{ file: SERVICE, find: "id > this.#last", replace: "id >= this.#last" }],
  },
];

export const RECIPE_MUTANTS: readonly Mutant[] = [
  ...QUEUE_MUTANTS,
  ...RUN_MUTANTS,
  ...NUMBER_MUTANTS,
  ...FOLLOWER_MUTANTS,
].map((mutant) => ({ ...mutant, campaign: "recipes" }));
