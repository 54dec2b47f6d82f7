/** A client of a story: it asks for what the story has it ask for, and for nothing else. The trace has its requests and replies. */
import { OPEN_ACL } from "../../../protocol/acl.ts";
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import { WatchEventType } from "../../../protocol/reads.ts";
import type { Answer } from "../client/connection.ts";
import type { SimClient } from "../client/client.ts";
import type { MultiEntry } from "../../../protocol/zookeeper/client-replies.ts";
import type { SimRequest } from "../client/wire.ts";
import { codeText, requestText, short, zxidText } from "./words.ts";

type CreateHow = "persistent" | "ephemeral" | "sequential" | "ephemeralSequential";

export function create(path: string, data: string, how: CreateHow = "persistent"): ZnodeOperation {
  const mode = {
    ephemeral: how === "ephemeral" || how === "ephemeralSequential",
    sequential: how === "sequential" || how === "ephemeralSequential",
  };
  return { kind: "create", path, data: bytesOf(data), acl: OPEN_ACL, mode };
}

export function set(path: string, data: string, version: number = -1): ZnodeOperation {
  return { kind: "setData", path, data: bytesOf(data), version };
}

export function remove(path: string, version: number = -1): ZnodeOperation {
  return { kind: "delete", path, version };
}

export function check(path: string, version: number): ZnodeOperation {
  return { kind: "check", path, version };
}

export function multi(...operations: readonly ZnodeOperation[]): ClientOperation {
  return { kind: "multi", operations };
}

export function sync(path: string): ClientOperation {
  return { kind: "sync", path };
}

export const CLOSE: ClientOperation = { kind: "closeSession" };

type Read = Extract<SimRequest, { readonly kind: "read" }>;

export function get(path: string): Read {
  return { kind: "read", read: "getData", path, watch: false };
}

export function exists(path: string): Read {
  return { kind: "read", read: "exists", path, watch: false };
}

export function children(path: string): Read {
  return { kind: "read", read: "getChildren", path, watch: false };
}

/** The same read; it also sets a watch. */
export function watching(read: Read): Read {
  return { ...read, watch: true };
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** What has come of a request so far; the story reads it whenever it likes. */
export class Reply {
  /** Undefined: there is no reply yet. `connectionLoss`: the connection ended before there was one. */
  code: string | undefined;
  zxid: number | undefined;
  /** The data that a read found, the path that a create made, or what came of each part of a multi. */
  text: string | undefined;
  children: readonly string[] | undefined;

  get isOk(): boolean {
    return this.code === "ok";
  }

  take(answer: Answer | undefined): void {
    this.code = answer === undefined ? "connectionLoss" : codeText(answer.code);
    if (answer === undefined) return;
    const { body, zxid } = answer;
    this.zxid = zxid;
    if (body.kind === "path") this.text = body.path;
    if (body.kind === "data") this.text = Buffer.from(body.data ?? []).toString("latin1");
    if (body.kind === "children") this.children = [...body.children].sort();
    if (body.kind === "multi") this.text = body.entries.map(entryText).join(", ");
  }

  describe(): string {
    const { code, zxid, text, children: names } = this;
    if (code === "connectionLoss") return "none, the connection is lost";
    const said = text ?? names?.join(" ");
    return `${code}${zxid === undefined ? "" : ` at ${zxidText(zxid)}`}${said === undefined ? "" : `: ${short(said)}`}`;
  }
}

function entryText(entry: MultiEntry): string {
  if (entry.kind === "error") return codeText(entry.code);
  return entry.kind === "created" ? entry.path : entry.kind;
}

export type Narration = {
  readonly step: (text: string) => void;
  readonly say: (who: string, text: string) => void;
  readonly until: (what: string, holds: () => boolean) => void;
};

export class StoryClient {
  readonly sim: SimClient;
  /** What its watches have reported, each as `type path`. */
  readonly events: string[] = [];
  readonly #narration: Narration;

  constructor(sim: SimClient, narration: Narration) {
    this.sim = sim;
    this.#narration = narration;
    sim.onEvent = ({ type, path }) => {
      const event = `${eventText(type)} ${path}`;
      this.events.push(event);
      narration.say(sim.name, `event: ${event}`);
    };
  }

  get name(): string {
    return this.sim.name;
  }

  get session(): number | undefined {
    return this.sim.session?.id;
  }

  /** The client asks, and the story waits for the reply. */
  does(asked: ClientOperation | Read): Reply {
    const reply = this.sends(asked);
    this.#narration.until("there is a reply", () => reply.code !== undefined);
    return reply;
  }

  /** The client asks, and the story goes on at once. */
  sends(asked: ClientOperation | Read): Reply {
    const { sim } = this;
    const request: SimRequest = asked.kind === "read" ? asked : { kind: "write", operation: asked };
    const reply = new Reply();
    this.#narration.step(`${sim.name} asks node ${sim.server}: ${requestText(request)}`);
    sim.ask(request, (answer) => {
      reply.take(answer);
      this.#narration.say(sim.name, `reply: ${reply.describe()}`);
    });
    return reply;
  }

  /** The client leaves its node for this one, and keeps its session. */
  moves(to: { readonly id: number }): void {
    this.#narration.step(`${this.name} goes over to node ${to.id}`);
    this.sim.at = to.id;
    this.sim.move(false);
    this.#narration.until("it is there", () => this.sim.server === to.id);
  }
}

function eventText(type: WatchEventType): string {
  return Object.entries(WatchEventType).find(([, value]) => value === type)?.[0] ?? `${type}`;
}
