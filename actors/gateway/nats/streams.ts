/**
 * Native clients read change streams. The client grants credits, one for each change; changes without a credit wait here. When too
 * many wait the stream pauses: it is closed at the tree and, once the client has caught up, opened again where it stopped. So a
 * slow client costs bounded memory and loses nothing, unless the ring no longer holds what it missed, which it is then told
 * (`compacted`).
 */
import { Code } from "../../../protocol/codes.ts";
import type { Recursive } from "../../../protocol/changes.ts";
import { pathProblem } from "../../../protocol/paths.ts";
import { NATIVE_STREAMS_MAX } from "../../../protocol/limits.ts";
import type { ClientItem } from "../../../protocol/native.ts";
import { earlierOf, laterOf, type Zxid } from "../../../protocol/zxid.ts";
import { tell } from "../../inboxes.ts";
import { forgetInTree } from "../lane.ts";
import type { TreeReply } from "../../tree/messages.ts";
import { end, push, outputBytesLeft } from "./output.ts";
import { encodedPortion, type Portion, portionsOf } from "./portions.ts";
import type { StreamCounts } from "../../admin/messages.ts";
import type { Connection, State, Turn } from "./state.ts";

export type GatewayStream = {
  /** The client's number. */
  readonly number: number;
  readonly path: string;
  readonly recursive: Recursive;
  /** The tree's number for the stream. It is another one at each opening, so that late changes of a closed stream are not taken. */
  treeStream: number | undefined;
  /** After a pause the stream is opened again behind this zxid. */
  after: Zxid;
  /** Everything up to here has been sent to the client. */
  sent: Zxid;
  credits: number;
  pending: Portion[];
  pendingBytes: number;
};

export function openStream(
  turn: Turn,
  connection: Connection,
  item: Extract<ClientItem, { readonly kind: "openStream" }>,
): void {
  const { stream: number, path, recursive, after, credits } = item;
  if (pathProblem(path) !== undefined || connection.streams.has(number)) {
    refuseStream(turn, connection, number, Code.badArguments);
    return;
  }
  if (connection.streams.size >= NATIVE_STREAMS_MAX) {
    end(turn, connection, "limit");
    return;
  }
  const stream: GatewayStream = {
    number,
    path,
    recursive,
    treeStream: undefined,
    after,
    sent: after,
    credits,
    pending: [],
    pendingBytes: 0,
  };
  connection.streams.set(number, stream);
  openAtTree(turn, connection, stream);
}

/** The client asked something wrong of a stream: it is told so and loses the stream. Its other streams and requests go on. */
export function refuseStream(turn: Turn, connection: Connection, number: number, code: Code): void {
  closeStream(turn, connection, number);
  push(turn, connection, { kind: "streamRefused", stream: number, code }, 0);
}

/** A stream that has ended in the meantime takes no credits. */
export function addCredits(
  turn: Turn,
  connection: Connection,
  item: Extract<ClientItem, { readonly kind: "credit" }>,
): void {
  const stream = connection.streams.get(item.stream);
  if (stream === undefined) return;
  stream.credits += item.credits;
  goOn(turn, connection, stream);
}

export function closeStream(turn: Turn, connection: Connection, number: number): void {
  const stream = connection.streams.get(number);
  if (stream === undefined) return;
  connection.streams.delete(number);
  closeAtTree(turn, connection, stream);
}

export function takeChanges(
  turn: Turn,
  message: Extract<TreeReply, { readonly kind: "changes" }>,
): void {
  answeredFor(turn, message.stream);
  const connection = turn.state.connections.get(message.client);
  if (connection === undefined) {
    // That the connection is gone is still on its way to the tree, or was lost in a failure.
    forgetInTree(turn, { number: message.client });
    return;
  }
  const stream = connection.treeStreams.get(message.stream);
  if (stream === undefined) return;
  const last = stream.pending.at(-1);
  if (last !== undefined && last.changes.length === 0) stream.pending.pop();
  for (const portion of portionsOf(turn, message)) {
    stream.pending.push(portion);
    stream.pendingBytes += portion.bytes;
  }
  stream.after = message.through;
  goOn(turn, connection, stream);
  const { streamPendingBytesMax } = turn.state.options;
  if (stream.pendingBytes > streamPendingBytesMax) closeAtTree(turn, connection, stream);
}

export function takeCompacted(
  turn: Turn,
  message: Extract<TreeReply, { readonly kind: "compacted" }>,
): void {
  answeredFor(turn, message.stream);
  const connection = turn.state.connections.get(message.client);
  const stream = connection?.treeStreams.get(message.stream);
  if (connection === undefined || stream === undefined) return;
  connection.treeStreams.delete(message.stream);
  connection.streams.delete(stream.number);
  // The changes that wait here were not compacted: they go first, whatever the credits.
  stream.treeStream = undefined;
  sendPending(turn, connection, stream, true);
  push(turn, connection, { kind: "compacted", stream: stream.number, oldest: message.oldest }, 0);
}

/** The client has granted credits, or taken what was sent. */
export function goOn(turn: Turn, connection: Connection, stream: GatewayStream): void {
  sendPending(turn, connection, stream, false);
  const paused = stream.treeStream === undefined;
  if (paused && stream.pending.length === 0) openAtTree(turn, connection, stream);
}

/** How many streams there are, and how far behind their clients are. */
export function streamCounts({ lane, connections, openings, zxid }: State): StreamCounts {
  let [open, waiting, pendingBytes, pendingBytesMax] = [0, 0, 0, 0];
  let [pendingChanges, pendingChangesMax] = [0, 0];
  let furthestBehind: Zxid | undefined;
  let heardOf = zxid;
  for (const { streams } of connections.values()) {
    open += streams.size;
    for (const stream of streams.values()) {
      const { treeStream } = stream;
      const isOpen = treeStream !== undefined && treeStream !== openings.underWay;
      if (!isOpen || stream.pendingBytes > 0) {
        furthestBehind = earlierOf(stream.sent, furthestBehind ?? stream.sent);
      }
      if (stream.pendingBytes === 0) continue;
      waiting += 1;
      pendingBytes += stream.pendingBytes;
      pendingBytesMax = Math.max(pendingBytesMax, stream.pendingBytes);
      heardOf = laterOf(heardOf, stream.pending.at(-1)?.through ?? heardOf);
      const changes = stream.pending.reduce((sum, portion) => sum + portion.changes.length, 0);
      pendingChanges += changes;
      pendingChangesMax = Math.max(pendingChangesMax, changes);
    }
  }
  const pending = { pendingBytes, pendingBytesMax, pendingChanges, pendingChangesMax };
  return { lane, open, waiting, ...pending, furthestBehind, heardOf };
}

/** A stream whose znodes do not change is told all the same how far it has come, at intervals, while others are written. */
export function askForProgress({ state, effects }: Turn): void {
  for (const { treeStreams } of state.connections.values()) {
    if (treeStreams.size === 0) continue;
    effects.push(tell(`tree/${state.lane}`, { kind: "reportProgress", from: state.name }));
    return;
  }
}

function sendPending(
  turn: Turn,
  connection: Connection,
  stream: GatewayStream,
  isLast: boolean,
): void {
  let count = 0;
  for (const portion of stream.pending) {
    const { changes, through, bytes } = portion;
    if (!isLast && (stream.credits <= 0 || outputBytesLeft(turn.state, connection) <= 0)) break;
    // A portion is never cut, so credits may go below 0; the next portion waits until they are above.
    stream.credits -= changes.length;
    stream.pendingBytes -= bytes;
    stream.sent = through;
    count += 1;
    const list = encodedPortion(turn, portion);
    push(turn, connection, { kind: "encodedChanges", stream: stream.number, through, list }, bytes);
  }
  stream.pending.splice(0, count);
}

/**
 * At an opening the tree looks through all changes that it keeps, which may take it ten milliseconds: one is under way at a
 * time, and connections take turns, so that whoever opens many waits for them and nobody else does.
 */
function openAtTree(turn: Turn, connection: Connection, stream: GatewayStream): void {
  const { openings } = turn.state;
  const waiting = openings.waiting.get(connection);
  if (waiting !== undefined) waiting.add(stream);
  else openings.waiting.set(connection, new Set([stream]));
  if (openings.underWay === undefined) openNext(turn);
}

/** The tree has answered for a stream, which is now open or compacted. */
function answeredFor(turn: Turn, treeStream: number): void {
  const { openings } = turn.state;
  if (openings.underWay !== treeStream) return;
  openings.underWay = undefined;
  openNext(turn);
}

export function openNext({ state, effects }: Turn): void {
  const { openings } = state;
  const [next] = openings.waiting;
  if (next === undefined) return;
  const [connection, streams] = next;
  const [stream] = streams;
  openings.waiting.delete(connection);
  if (stream === undefined) return;
  streams.delete(stream);
  if (streams.size > 0) openings.waiting.set(connection, streams);
  const number = state.nextTreeStream;
  state.nextTreeStream += 1;
  openings.underWay = number;
  stream.treeStream = number;
  connection.treeStreams.set(number, stream);
  const { path, recursive, after } = stream;
  const from = { from: state.name, client: connection.number, stream: number };
  // A connection that has proved nothing has the same as all such.
  const asked = { path, recursive, after, who: connection.who };
  effects.push(tell(`tree/${state.lane}`, { kind: "openStream", ...from, ...asked }));
}

function closeAtTree(
  { state, effects }: Turn,
  connection: Connection,
  stream: GatewayStream,
): void {
  const waiting = state.openings.waiting.get(connection);
  if (waiting?.delete(stream) === true && waiting.size === 0) {
    state.openings.waiting.delete(connection);
  }
  const { treeStream } = stream;
  if (treeStream === undefined) return;
  stream.treeStream = undefined;
  connection.treeStreams.delete(treeStream);
  const from = { from: state.name, client: connection.number, stream: treeStream };
  effects.push(tell(`tree/${state.lane}`, { kind: "closeStream", ...from }));
}
