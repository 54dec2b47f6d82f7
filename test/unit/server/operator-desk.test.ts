/** What operators ask of a node over NATS: who may, how often a request is good, and what is no request. */
import test from "ava";
import fc from "fast-check";
import type { ServerId } from "../../../protocol/ids.ts";
import { OPERATOR_MESSAGE_BYTES_MAX } from "../../../protocol/limits.ts";
import {
  type NodeStatus,
  type OperatorAnswer,
  type OperatorRequest,
  operatorText,
  readOperatorAnswer,
  splitOperatorText,
} from "../../../protocol/operator.ts";
import { OperatorDesk, type OperatedNode } from "../../../server/operator/operator-desk.ts";
import { hasRightTag, type SealOptions, tagFor } from "../../../server/operator/seal.ts";
import { PeerKeys } from "../../../server/peer-keys.ts";
import { server } from "../../support/plain-calls.ts";

const ONE = server(1);
const STATUS: NodeStatus = {
  node: ONE,
  nonce: "7",
  members: [1, 2, 3].map(server),
  role: "leading",
  leader: ONE,
  epoch: 3,
  applied: 12,
  notReady: undefined,
};
const KEY: SealOptions = { ensemble: "zooid", keys: new PeerKeys([new Uint8Array(32).fill(1)]) };
const OTHER: SealOptions = { ensemble: "zooid", keys: new PeerKeys([new Uint8Array(32).fill(2)]) };
const NO_KEY: SealOptions = { ensemble: "zooid", keys: undefined };

/** Nobody can take over from it, for reasons that are many. */
const SLOW = server(9);
const LONG_REASON = "node 2 is not heard of; ".repeat(1000);

class Desk {
  readonly done: string[] = [];
  readonly said: string[] = [];
  nowMs = 0;
  readonly #desk: OperatorDesk;
  readonly #seal: SealOptions;

  constructor(seal: SealOptions) {
    this.#seal = seal;
    const node: OperatedNode = {
      status: async () => STATUS,
      transferLeadership: async (to) => {
        this.done.push(`to ${to ?? "any"}`);
        if (to === SLOW) return { kind: "failed", reason: LONG_REASON, leader: ONE };
        return { kind: "done", from: ONE, to: to ?? server(2), tookMs: 20, pausedMs: 15 };
      },
      restart: () => {
        this.done.push("restart");
        return undefined;
      },
    };
    const say = (_level: string, event: string): unknown => this.said.push(event);
    this.#desk = new OperatorDesk({ ...seal, node, say, nowMs: () => this.nowMs });
  }

  /** Undefined: the node says nothing. */
  async hear(bytes: Uint8Array): Promise<OperatorAnswer | undefined> {
    let answer: OperatorAnswer | undefined;
    await this.#desk.hear(bytes, (given) => {
      const text = splitOperatorText(given);
      if (text === undefined || !hasRightTag(this.#seal, "toOperator", text))
        throw new Error("tag");
      answer = readOperatorAnswer(text.json);
    });
    return answer;
  }

  ask(request: OperatorRequest, as: SealOptions = this.#seal): Promise<OperatorAnswer | undefined> {
    return this.hear(sealed(request, as));
  }

  async challenge(): Promise<string> {
    const answer = await this.ask({ kind: "status", asked: "question" });
    return answer?.kind === "status" ? answer.challenge : "";
  }
}

function sealed(request: OperatorRequest, as: SealOptions): Uint8Array {
  const text = operatorText(tagFor(as, "toNode", JSON.stringify(request)), request);
  return new TextEncoder().encode(text);
}

const transferTo = (to: ServerId | undefined, challenge: string): OperatorRequest => ({
  kind: "transferLeadership",
  asked: "question",
  challenge,
  to,
});

for (const [name, seal] of [
  ["a key", KEY],
  ["no key", NO_KEY],
] as const) {
  test(`with ${name}, a request is good once, and only for as long as its challenge`, async (t) => {
    const desk = new Desk(seal);
    t.like(await desk.ask({ kind: "status", asked: "question" }), { ...STATUS, kind: "status" });
    const request = transferTo(server(2), await desk.challenge());
    const answer = { kind: "transferred", from: 1, to: 2, tookMs: 20, pausedMs: 15 };
    t.like(await desk.ask(request), answer);
    t.like(await desk.ask(request), { kind: "refused" }, "a copy of it");
    t.like(await desk.ask(transferTo(undefined, "some-challenge")), { kind: "refused" });
    const late = await desk.challenge();
    desk.nowMs += 60_001;
    t.like(await desk.ask({ kind: "restart", asked: "question", challenge: late }), {
      kind: "refused",
    });
    t.deepEqual(desk.done, ["to 2"]);
    const challenge = await desk.challenge();
    t.like(await desk.ask({ kind: "restart", asked: "question", challenge }), {
      kind: "restarting",
    });
    t.deepEqual(desk.done, ["to 2", "restart"]);
  });
}

test("who does not hold the nodes' key is not answered, which is said once a minute", async (t) => {
  const desk = new Desk(KEY);
  const challenge = await desk.challenge();
  for (const as of [OTHER, NO_KEY, { ...KEY, ensemble: "another" }]) {
    t.is(await desk.ask({ kind: "status", asked: "question" }, as), undefined);
    t.is(await desk.ask({ kind: "restart", asked: "question", challenge }, as), undefined);
  }
  t.deepEqual(desk.said, ["operatorRefused"]);
  desk.nowMs += 60_000;
  await desk.ask({ kind: "status", asked: "question" }, OTHER);
  t.deepEqual(desk.said, ["operatorRefused", "operatorRefused"]);
  t.deepEqual(desk.done, []);
});

test("an answer is no request, though the same key has signed it", async (t) => {
  const desk = new Desk(KEY);
  const challenge = await desk.challenge();
  const request: OperatorRequest = { kind: "restart", asked: "question", challenge };
  const tag = tagFor(KEY, "toOperator", JSON.stringify(request));
  const bytes = new TextEncoder().encode(operatorText(tag, request));
  t.is(await desk.hear(bytes), undefined);
  t.deepEqual(desk.done, []);
});

test("a reason that is longer than an answer may be comes without its end", async (t) => {
  const desk = new Desk(KEY);
  const answer = await desk.ask(transferTo(SLOW, await desk.challenge()));
  t.is(answer?.kind, "refused");
  t.true(answer?.kind === "refused" && LONG_REASON.startsWith(answer.reason.slice(0, 100)));
});

test("challenges that nobody uses are forgotten, the oldest first", async (t) => {
  const desk = new Desk(NO_KEY);
  const first = await desk.challenge();
  for (let count = 0; count < 256; count += 1) await desk.challenge();
  t.like(await desk.ask(transferTo(undefined, first)), { kind: "refused" });
  t.like(await desk.ask(transferTo(undefined, await desk.challenge())), { kind: "transferred" });
});

test("bytes that are no request are not answered, and do nothing", async (t) => {
  const desk = new Desk(NO_KEY);
  const texts = [
    ...["", " ", "-", "- ", "- {", "- null", "- []", "- 7", '- {"kind":"status"}'],
    ...['{"kind":"status","asked":"question"}', '- {"kind":"stop","asked":"question"}'],
    '- {"kind":"transferLeadership","asked":"question","challenge":"some-challenge","to":"2"}',
    '- {"kind":"transferLeadership","asked":"question","challenge":"some-challenge","to":256}',
    `- {"kind":"status","asked":"question","more":"${"x".repeat(OPERATOR_MESSAGE_BYTES_MAX)}"}`,
  ];
  for (const text of texts) t.is(await desk.hear(new TextEncoder().encode(text)), undefined, text);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      t.is(await desk.hear(bytes), undefined);
    }),
    { numRuns: 200 },
  );
  t.deepEqual(desk.done, []);
});
