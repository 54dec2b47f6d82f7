/** A simulated native client's connection, and what it waits for. */
import type { SessionId } from "../../../protocol/ids.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { ToldByProcess } from "../checks/one-server.ts";
import type { Attachment } from "../checks/truth.ts";
import type { LastAnswer } from "./environment.ts";
import type { SimRequest } from "./wire.ts";

export type Session = {
  readonly id: SessionId;
  readonly password: Uint8Array;
  readonly timeoutMs: number;
};

export type Pending = {
  readonly request: SimRequest;
  /** The largest zxid that anybody had as a result when this was asked, and the largest that this client had seen. */
  readonly after: Zxid;
  readonly seen: Zxid;
  /** The largest that the server had told any of its clients then. */
  readonly toldBefore: Zxid;
  /** How many writes of its connection were sent before it. */
  readonly place: number;
  /** In true time. */
  readonly askedMs: number;
};

export type Connection = {
  readonly number: number;
  readonly attachment: Attachment;
  readonly pending: Map<number, Pending>;
  /** In true time, when each ping without an answer was sent. */
  readonly pingsMs: number[];
  /** Bytes that were received and not acknowledged. */
  untoldBytes: number;
  readonly grantedMs: number | undefined;
  readonly answer: LastAnswer;
  /** The subject of its gateway; undefined until the connection is open. */
  subject: string | undefined;
  server: number | undefined;
  /** What the server has told its clients; undefined until it is heard. */
  toldClients: ToldByProcess | undefined;
  said: number;
  heard: number;
  heardMs: number;
  saidMs: number;
};

/** What was asked then has been answered. */
export function asked({ answer }: Connection, atMs: number | undefined): void {
  answer.askedMs = Math.max(answer.askedMs, atMs ?? 0);
}
