/** Holds the replies that a simulated client has had to what the ensemble has committed. */
import { Code } from "../../../protocol/codes.ts";
import { formatZxid, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { checkOneServer, told } from "../checks/one-server.ts";
import { checkMultiRead, checkRead, writeReplyProblem } from "../checks/replies.ts";
import { isRefusal, takeRefusal, textOf } from "../checks/truth.ts";
import { must } from "../checks/violation.ts";
import { checkWide } from "../checks/wide-replies.ts";
import { asked, type Connection, type Pending, type Session } from "./connection.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { SimWho } from "./identities.ts";
import type { ReplyHeader } from "../../../protocol/zookeeper/client-replies.ts";
import { closesSession, type ReplyBody } from "./wire.ts";

/** The client, for messages, and what it knows. */
export type Asking = {
  readonly name: string;
  readonly session: Session | undefined;
  readonly environment: Pick<ClientEnvironment, "truth" | "counts">;
};

/** What a server says has happened. */
export function checkCommitted({ name, environment }: Asking, { zxid }: ReplyHeader): void {
  const { latest } = environment.truth;
  must(zxid <= latest, "true replies", () => {
    return `${name}: ${formatZxid(zxid)} is not committed, ${formatZxid(latest)} is`;
  });
}

/** A reply is of the connection that has the session, and of nothing older than `seen`, which the session has had a reply of. */
export function checkInOrder(
  asking: Asking,
  connection: Connection,
  header: ReplyHeader,
  seen: Zxid,
): void {
  const { zxid } = header;
  checkMoved(asking, connection, header);
  must(zxid >= seen, "monotone reads", () => {
    return `${asking.name}: a reply of ${formatZxid(zxid)} after ${formatZxid(seen)}`;
  });
  told(connection.link.toldClients, zxid);
}

/** Takes the request that a reply has to be for: the oldest one. */
export function oldestAsked(
  { name }: Asking,
  connection: Connection,
  { xid }: ReplyHeader,
): Pending {
  const pending = connection.pending.shift();
  must(pending?.xid === xid, "session order", () => {
    return `${name}: a reply to request ${xid}, ${pending?.xid} is the oldest`;
  });
  asked(connection, pending.askedMs);
  return pending;
}

/** Returns false if the write was refused since there is no space for it: it is not done. */
export function checkWritten(
  asking: Asking,
  connection: Connection,
  pending: Pending,
  reply: { readonly header: ReplyHeader; readonly body: ReplyBody },
): boolean {
  const { attachment } = connection;
  if (isRefusal(attachment, pending.place, reply.header)) {
    asking.environment.counts.refused += 1;
    takeRefusal(attachment, pending.place);
    return false;
  }
  checkWrite(asking, connection, pending, reply);
  return true;
}

/** Nothing is served through a connection from where the session is attached through another one. */
function checkMoved(
  { name, session, environment }: Asking,
  { link }: Connection,
  { zxid, code }: ReplyHeader,
): void {
  const { model } = environment.truth;
  const attachedAt = model.sessions.get(session?.id ?? 0)?.attachedAt ?? ZXID_NONE;
  if (link.attachedAt === undefined || code === Code.sessionMoved) return;
  must(link.attachedAt >= attachedAt || zxid < attachedAt, "one connection", () => {
    return `${name}: a reply of ${formatZxid(zxid)}, its session moved at ${formatZxid(attachedAt)}`;
  });
}

/** The read shows what was there, and nothing older than what the server had told anybody. */
export function checkReadReply(
  asking: Asking & { readonly who: SimWho },
  { request, toldBefore }: Pending,
  { header, body }: { readonly header: ReplyHeader; readonly body: ReplyBody },
): void {
  const { truth, counts } = asking.environment;
  counts.reads += 1;
  // The gateway says who a client is, and looks at no znode.
  const isOfTree = request.kind !== "wide" || request.asked.kind !== "whoAmI";
  if (isOfTree) checkOneServer(asking.name, header.zxid, toldBefore);
  if (request.kind === "read") checkRead(truth.model, asking, request, header, body);
  else if (request.kind === "multiRead") {
    checkMultiRead(truth.model, asking, request.reads, header, body);
  } else if (request.kind === "wide") checkWide(truth.model, asking, request.asked, header, body);
}

/** The write was committed, once, and after what its client knew. */
function checkWrite(
  { name, environment }: Asking,
  { attachment }: Connection,
  { request, after, place }: Pending,
  { header, body }: { readonly header: ReplyHeader; readonly body: ReplyBody },
): void {
  const { truth, counts } = environment;
  const { zxid } = header;
  const what = request.kind === "write" ? textOf(request.operation) : "";
  must(attachment.committed[place] === zxid, "exactly once", () => {
    const at = attachment.committed[place];
    const committed = at === undefined ? "not committed" : `committed at ${formatZxid(at)}`;
    return `${name}: ${what} is answered with ${formatZxid(zxid)} and ${committed}`;
  });
  must(zxid > after, "linearizable writes", () => {
    return `${name}: ${what} at ${formatZxid(zxid)}, asked when ${formatZxid(after)} was acknowledged`;
  });
  const applied = truth.operationAt(zxid);
  const problem =
    applied === undefined ? "no such zxid" : writeReplyProblem(header, body, applied.result);
  must(problem === undefined, "true replies", () => `${name}: ${what}: ${problem}`);
  truth.acknowledged = Math.max(truth.acknowledged, zxid) as typeof zxid;
  counts.acknowledged += 1;
}

/** Without a leader nothing is written; only a session that no other server knows may be closed. */
export function checkUnwritten(
  { name, session }: Asking,
  { request }: Pending,
  { code }: ReplyHeader,
): void {
  const isLocal = session === undefined;
  const expected = isLocal && closesSession(request) ? Code.ok : Code.notReadOnly;
  must(code === expected, "read-only", () => {
    const what = request.kind === "write" ? textOf(request.operation) : request.kind;
    return `${name}: ${what} is answered ${code} by a node without a leader, not ${expected}`;
  });
}
