/** A simulated client's connection, and what it waits for. */
import type { Zxid } from "../../../protocol/zxid.ts";
import type { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import type { Attachment } from "../checks/truth.ts";
import type { Link } from "../links.ts";
import type { LastAnswer } from "./environment.ts";
import type { ReplyBody, SimRequest } from "./wire.ts";

export type Session = {
  readonly id: number;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
};

export type Answer = { readonly code: number; readonly zxid: Zxid; readonly body: ReplyBody };

export type Pending = {
  readonly xid: number;
  readonly request: SimRequest;
  /** The largest zxid that anybody had as a result when this was asked. */
  readonly after: Zxid;
  /** The largest that the server had told any of its clients then. */
  readonly toldBefore: Zxid;
  /** For a write, its position among the writes that its connection sent. */
  readonly place: number;
  /** In true time. */
  readonly askedMs: number;
  /** Undefined: the connection has ended. */
  readonly onAnswer: ((answer: Answer | undefined) => void) | undefined;
};

export type Connection = {
  readonly link: Link;
  readonly node: number;
  readonly frames: FrameReader;
  readonly attachment: Attachment;
  readonly pending: Pending[];
  /** In true time, when each ping without an answer was sent. */
  readonly pingsMs: number[];
  readonly grantedMs: number | undefined;
  readonly answer: LastAnswer;
  attached: boolean;
  /** The node has no leader, and says so. */
  readOnly: boolean;
  /** The most requests that were unanswered at once since all were answered. */
  unansweredMax: number;
  heardMs: number;
  sentMs: number;
};

/** What was asked then has been answered. */
export function asked({ answer }: Connection, atMs: number | undefined): void {
  answer.askedMs = Math.max(answer.askedMs, atMs ?? 0);
}
