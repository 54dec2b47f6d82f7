/** What a message between nodes is about, and what it says. */
import { decodeCbor, PEER_CBOR } from "../../../protocol/cbor.ts";
import { decodeFrame } from "../../../protocol/peer-frame.ts";
import type { Carried } from "../network.ts";
import { messageText, type PeerMessage } from "../stories/words.ts";
import type { Ping, Pong } from "../../../actors/heartbeat/messages.ts";
import type { MessageKind } from "./recording.ts";

type AnyMessage = PeerMessage | Ping | Pong;

const KINDS: Readonly<Record<AnyMessage["kind"], MessageKind>> = {
  append: "replication",
  accepted: "replication",
  behind: "replication",
  forgotten: "replication",
  vote: "election",
  promiseRequest: "election",
  promiseReply: "election",
  deposed: "election",
  takeOver: "election",
  takeOverDeclined: "election",
  ping: "heartbeat",
  pong: "heartbeat",
  submit: "write",
  submitRefused: "write",
  snapshotOffer: "snapshot",
  askChunk: "snapshot",
  snapshotChunk: "snapshot",
  greeting: "membership",
  join: "membership",
  joinAnswer: "membership",
  survey: "membership",
  surveyed: "membership",
};

export type Described = { readonly kind: MessageKind; readonly text: string };

export function describe({ what, actor, bytes }: Carried): Described {
  if (what === "unheard") return { kind: "nobody", text: `nobody hears ${actor}` };
  const frame = decodeFrame(bytes);
  if ("fault" in frame) return { kind: "membership", text: `no frame: ${frame.fault}` };
  if (frame.kind === "refusal") return { kind: "membership", text: "refusal of a message" };
  const message = decodeCbor(frame.body, PEER_CBOR) as AnyMessage;
  return { kind: KINDS[message.kind], text: textOf(message) };
}

function textOf(message: AnyMessage): string {
  if (message.kind === "ping") return `ping in epoch ${message.epoch}, round ${message.round}`;
  if (message.kind === "pong") {
    return `pong in epoch ${message.epoch}${message.leading ? "" : ", from who does not lead"}`;
  }
  return messageText(message);
}
