/**
 * The requests of one connection, through its queue, the submitter and the tree of its lane, with letters delivered at any pace: the
 * answers are those of a session that is served one request after the other, and an event stands between the reply to the read that
 * watches and the reply to the write that fires.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import { type Entry, RequestQueue } from "../../actors/gateway/request-queue.ts";
import type { SubmitMessage } from "../../actors/log-sync/messages.ts";
import type { SubmitterMessage, Written } from "../../actors/submitter/messages.ts";
import { submitterActor } from "../../actors/submitter/submitter.ts";
import type { TreeMessage, TreeReply } from "../../actors/tree/messages.ts";
import { OPEN_ACL } from "../../protocol/acl.ts";
import { decodeBatch } from "../../protocol/batch.ts";
import { Code } from "../../protocol/codes.ts";
import type { ClientOperation, Operation, OperationResult } from "../../protocol/operations.ts";
import type { Read, ReadResult, WatchEvent } from "../../protocol/reads.ts";
import { epoch, type Zxid } from "../../protocol/zxid.ts";
import { Driven, server, told } from "../support/plain-calls.ts";
import { client, Replica } from "../support/replica.ts";

type Request =
  | { readonly kind: "read"; readonly read: Read }
  | { readonly kind: "write"; readonly operation: ClientOperation }
  | { readonly kind: "event"; readonly event: WatchEvent };
type Asked = "set" | "create" | "delete" | "multi" | "get" | "getWatch" | "existsWatch" | "list";
type Ask = { readonly asked: Asked; readonly path: string };
type Step = "ask" | "other" | "gateway" | "submitter" | "flush" | "log" | "tree";

const FROM = "zookeeper/0";

const asks: fc.Arbitrary<Ask> = fc.record({
  asked: fc.constantFrom<Asked>(
    ...(["set", "create", "delete", "multi", "get", "get", "getWatch", "existsWatch"] as const),
    ...(["get", "get", "list"] as const),
  ),
  path: fc.constantFrom("/a", "/b"),
});
const steps: fc.Arbitrary<Step> = fc.constantFrom<Step>(
  ...(["ask", "ask", "ask", "other", "gateway", "submitter", "flush", "log", "tree"] as const),
);

function requestOf({ asked, path }: Ask, id: number): Request {
  const data = Buffer.from(String(id));
  const set = { kind: "setData", path, data, version: -1 } as const;
  switch (asked) {
    case "set":
      return { kind: "write", operation: set };
    case "create": {
      const mode = { ephemeral: false, sequential: false };
      return { kind: "write", operation: { kind: "create", path, data, acl: OPEN_ACL, mode } };
    }
    case "delete":
      return { kind: "write", operation: { kind: "delete", path, version: -1 } };
    case "multi":
      return { kind: "write", operation: { kind: "multi", operations: [set] } };
    case "existsWatch":
      return { kind: "read", read: { kind: "exists", path, watch: true } };
    case "list":
      return { kind: "read", read: { kind: "getChildren", path: "/", watch: false } };
    default:
      return { kind: "read", read: { kind: "getData", path, watch: asked === "getWatch" } };
  }
}

/** A session that is served one request after the other. */
function model(list: readonly Ask[]): { replies: string[]; events: [string, number, number][] } {
  const values = new Map<string, string>();
  const watched = new Map<string, number>();
  const events: [string, number, number][] = [];
  const replies = list.map(({ asked, path }, index) => {
    const value = values.get(path);
    const changes =
      asked === "create" ? value === undefined : !isRead(asked) && value !== undefined;
    const by = watched.get(path);
    if (changes && by !== undefined) events.push([path, by, index]);
    if (changes) watched.delete(path);
    if (changes && asked === "delete") values.delete(path);
    else if (changes) values.set(path, String(index));
    if (asked === "existsWatch" || (asked === "getWatch" && value !== undefined))
      watched.set(path, index);
    if (asked === "list") return [...values.keys()].sort().join();
    if (isRead(asked)) return value === undefined ? "none" : asked === "existsWatch" ? "" : value;
    return changes ? "done" : "failed";
  });
  return { replies, events };
}

function isRead(asked: Asked): boolean {
  return ["get", "getWatch", "existsWatch", "list"].includes(asked);
}

function shown(result: ReadResult | OperationResult | undefined): string {
  switch (result?.kind) {
    case "data":
      return Buffer.from(result.data ?? []).toString();
    case "children":
      return result.children
        .filter((name) => name !== "zookeeper")
        .map((name) => `/${name}`)
        .sort()
        .join();
    default:
      return "";
  }
}

class Lane {
  readonly #queue = new RequestQueue<Request>();
  readonly #replica = new Replica();
  readonly #session = this.#replica.session();
  readonly #submitter = new Driven(submitterActor({ server: server(1), lane: 0 }));
  readonly #toTree: TreeMessage[] = [];
  readonly #toSubmitter: SubmitterMessage[] = [];
  readonly #toGateway: (TreeReply | Written)[] = [];
  readonly #toLog: SubmitMessage[] = [];
  readonly out: (string | { id: number; result: Entry<Request> })[] = [];

  constructor() {
    this.#submitter.chance = 0;
    this.#submitter.receive({ kind: "incarnation", incarnation: 2 });
    const leader = server(1);
    const lead = { kind: "leadership", role: "leading", epoch: epoch(1), leader } as const;
    this.#submitter.receive({ ...lead, admission: "all" });
  }

  get idle(): boolean {
    const { length } = this.#queue;
    return length === 0 && this.#toGateway.length === 0;
  }

  ask(request: Request, id: number): void {
    this.#queue.push(request, id, 1, 0);
    this.#dispatch();
  }

  #dispatch(): void {
    const limits = { answerBytesMax: 64 * 1024, writable: true, admission: "all" } as const;
    const { reads, writes, travelling, mayCut } = this.#queue.dispatch(limits);
    const of = { from: FROM, client: 1 } as const;
    const answerBytesMax = mayCut ? 1 : Number.MAX_SAFE_INTEGER;
    if (reads.length > 0) this.#toTree.push({ kind: "read", ...of, reads, answerBytesMax });
    if (writes.length === 0 && travelling.length === 0) return;
    const operations = writes.map((operation): Operation => client(this.#session, operation));
    this.#toSubmitter.push({ kind: "write", ...of, operations, travelling });
  }

  step(step: Step): void {
    if (step === "gateway") this.#gateway(this.#toGateway.shift());
    else if (step === "submitter") this.#submit(this.#toSubmitter.shift());
    else if (step === "flush") this.#submit({ kind: "endOfTurn" });
    else if (step === "log") this.#log(this.#toLog.shift());
    else if (step === "tree") this.#tree(this.#toTree.shift());
    else if (step === "other") this.#other();
  }

  #other(): void {
    const operations = [client(this.#session, { kind: "sync", path: "/" })];
    this.#toSubmitter.push({ kind: "write", from: FROM, client: 2, operations });
  }

  #submit(message: SubmitterMessage | undefined): void {
    if (message === undefined) return;
    const effects = this.#submitter.receive(message);
    this.#toTree.push(...(told(effects, "tree/0") as TreeMessage[]));
    this.#toLog.push(...(told(effects, "log-sync") as SubmitMessage[]));
    this.#toGateway.push(...(told(effects, FROM) as Written[]));
  }

  #log(message: SubmitMessage | undefined): void {
    if (message === undefined) return;
    const { submitter, seq, payload } = message;
    const record = this.#replica.record(decodeBatch(payload), { submitter, seq });
    this.#toTree.push({ kind: "committed", records: [record] });
  }

  #tree(message: TreeMessage | undefined): void {
    if (message === undefined) return;
    const effects = this.#replica.receive(message);
    this.#toSubmitter.push(...(told(effects, "submitter/0") as SubmitterMessage[]));
    this.#toGateway.push(...(told(effects, FROM) as TreeReply[]));
  }

  #gateway(message: TreeReply | Written | undefined): void {
    if (message === undefined || ("client" in message && message.client !== 1)) return;
    const queue = this.#queue;
    if (message.kind === "written") queue.answerWrites(message.zxids, message.results);
    else if (message.kind === "readDone")
      queue.answerReads(message.zxid as Zxid, message.results, "all");
    else if (message.kind === "watchEvents") {
      const events = message.events.map((event): Request => ({ kind: "event", event }));
      if (queue.holdsAnswers) queue.insertEvents(events, 0);
      else this.out.push(...message.events.map(({ path }) => path));
    }
    for (let entry = queue.ready(); entry !== undefined; entry = queue.ready()) {
      const { request, id } = entry;
      this.out.push(request.kind === "event" ? request.event.path : { id, result: entry });
      queue.shift();
    }
    this.#dispatch();
  }
}

function replyOf({ request, result }: Entry<Request>): string {
  if (request.kind === "write") {
    const isError = result?.kind === "error" || (result?.kind === "multi" && failed(result));
    return isError ? "failed" : "done";
  }
  return result?.kind === "error" && result.code === Code.noNode ? "none" : shown(result);
}

function failed(result: Extract<OperationResult, { kind: "multi" }>): boolean {
  return result.results.some(({ kind }) => kind === "error");
}

test("however far ahead a session asks, it is answered as if it asked one thing at a time", (t) => {
  fc.assert(
    fc.property(
      fc.array(asks, { maxLength: 40 }),
      fc.array(steps, { maxLength: 200 }),
      (list, paces) => {
        const lane = new Lane();
        let next = 0;
        const ask = (): void => {
          const each = list[next];
          if (each !== undefined) lane.ask(requestOf(each, next), next);
          next += 1;
        };
        for (const step of paces) {
          if (step === "ask") ask();
          else lane.step(step);
        }
        while (next < list.length) ask();
        const rest = ["submitter", "flush", "log", "tree", "gateway"] as const;
        for (let turns = 0; turns < 2000 && !lane.idle; turns += 1)
          for (const step of rest) lane.step(step);
        const expected = model(list);
        const replies = lane.out.filter((each) => typeof each !== "string");
        deepStrictEqual(
          replies.map(({ id, result }) => [id, replyOf(result)]),
          expected.replies.map((reply, id) => [id, reply]),
        );
        const place = (id: number): number =>
          lane.out.findIndex((each) => typeof each !== "string" && each.id === id);
        const events = lane.out.flatMap((each, at) =>
          typeof each === "string" ? [{ path: each, at }] : [],
        );
        deepStrictEqual(events.length, expected.events.length);
        for (const [path, read, write] of expected.events) {
          const fits = events.some(
            (event) => event.path === path && event.at > place(read) && event.at < place(write),
          );
          ok(fits, `an event of ${path} between ${read} and ${write}`);
        }
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});
