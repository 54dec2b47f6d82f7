/** Messages of nodes and clients as lines of a trace. A zxid is written as `epoch.counter`. */
import type { LogSyncPeerMessage } from "../../../actors/log-sync/messages.ts";
import type { Vote } from "../../../actors/election/messages.ts";
import { decodeBatch } from "../../../protocol/batch.ts";
import { Code } from "../../../protocol/codes.ts";
import type { Operation } from "../../../protocol/operations.ts";
import type { WriteAdmission } from "../../../protocol/replication.ts";
import { recordHeader, recordPayload } from "../../../protocol/record.ts";
import { counterOf, epochOf, type Zxid, ZXID_NONE } from "../../../protocol/zxid.ts";
import { textOf } from "../checks/truth.ts";
import type { SimRequest } from "../client/wire.ts";

export type PeerMessage = LogSyncPeerMessage | Vote;

/** A message with more records or operations than this is summed up. */
const LISTED_MAX = 4;
const OPERATION_LENGTH_MAX = 40;

export function zxidText(zxid: number): string {
  return zxid === ZXID_NONE ? "0" : `${epochOf(zxid as Zxid)}.${counterOf(zxid as Zxid)}`;
}

export function codeText(code: number): string {
  return Object.entries(Code).find(([, value]) => value === code)?.[0] ?? `code ${code}`;
}

export function requestText(request: SimRequest): string {
  if (request.kind === "write") return short(textOf(request.operation).trim());
  if (request.kind === "multiRead") return `multiRead of ${request.reads.length}`;
  if (request.kind === "watcher") return `${request.asked.kind} ${request.asked.path}`;
  if (request.kind === "wide") return request.asked.kind;
  return `${request.read} ${request.path}${request.watch ? " with a watch" : ""}`;
}

export function short(text: string, lengthMax: number = OPERATION_LENGTH_MAX): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text;
}

export function messageText(message: PeerMessage): string {
  switch (message.kind) {
    case "vote":
      return `vote for ${message.leader}, whose log ends at ${zxidText(message.lastZxid)}: ${message.state}`;
    case "promiseRequest":
      return `promiseRequest of epoch ${message.epoch}`;
    case "promiseReply":
      return message.granted
        ? `promiseReply: epoch ${message.epoch} granted, the log ends at ${zxidText(message.lastZxid)}`
        : `promiseReply: epoch ${message.epoch} refused, epoch ${message.promise.epoch} is promised to ${message.promise.candidate}`;
    case "append":
      return appendText(message);
    case "accepted":
      return `accepted in epoch ${message.epoch} up to ${zxidText(message.zxid)}${remarks(message)}`;
    case "behind":
      return `behind in epoch ${message.epoch}: holds ${zxidText(message.holds)}, durable to ${zxidText(message.durable)}`;
    case "forgotten":
      return `forgotten: ${zxidText(message.zxid)} was acknowledged in epoch ${message.epoch}`;
    case "snapshotOffer":
      return `snapshotOffer: one that holds all up to ${zxidText(message.snapshot.zxid)}`;
    case "askChunk":
      return `askChunk ${message.index} of the snapshot of ${zxidText(message.zxid)}`;
    case "snapshotChunk":
      return `snapshotChunk ${message.index} of the snapshot of ${zxidText(message.zxid)}`;
    case "deposed":
      return `deposed: epoch ${message.promise.epoch} is promised to ${message.promise.candidate}`;
    case "submit":
      return `submit batch ${message.seq}: ${operationsText(message.payload)}`;
    case "submitRefused":
      return `submitRefused: ${message.reason}`;
    case "takeOver":
      return `takeOver in epoch ${message.epoch}: all logs end at ${zxidText(message.zxid)}`;
    case "takeOverDeclined":
      return `takeOverDeclined in epoch ${message.epoch}: it is ${message.reason}`;
    default:
      return membershipText(message);
  }
}

type MembershipMessage = Extract<
  PeerMessage,
  { readonly kind: "greeting" | "join" | "joinAnswer" | "survey" | "surveyed" }
>;

function membershipText(message: MembershipMessage): string {
  switch (message.kind) {
    case "greeting": {
      const { members, configuration, asks } = message;
      const goesBy =
        configuration === undefined ? "no ensemble" : `configuration ${configuration.version}`;
      return `greeting: members ${members.join(" ")}, ${goesBy}${asks ? ", asks" : ""}`;
    }
    case "join":
      return "join: a folder without a number";
    case "joinAnswer":
      return `joinAnswer: ${message.reason?.replace(/\d+ ms/, "some ms") ?? "taken in as a guest"}`;
    case "survey":
      return "survey";
    case "surveyed": {
      const leads = message.leads === undefined ? "" : `, leads epoch ${message.leads}`;
      return `surveyed: epoch ${message.promisedEpoch} is promised, the log ends at ${zxidText(message.tail)}${leads}`;
    }
  }
}

function remarks(message: Extract<PeerMessage, { readonly kind: "accepted" }>): string {
  const { votes, diskSpace, treeFull } = message;
  const vote = votes ? "" : ", without a vote";
  const disk = diskSpace === "free" ? "" : `, its disk is ${diskSpace}`;
  return `${vote}${disk}${treeFull ? ", its tree is full" : ""}`;
}

function appendText(message: Extract<PeerMessage, { readonly kind: "append" }>): string {
  const { epoch, prevZxid, committed, records, admission } = message;
  const what = records.length === 0 ? "nothing" : recordsText(records);
  const taken = admissionText(admission);
  return `append in epoch ${epoch}, after ${zxidText(prevZxid)}: ${what}; committed ${zxidText(committed)}${taken}`;
}

function admissionText(admission: WriteAdmission): string {
  return admission === "all" ? "" : `; writes taken: ${admission}`;
}

function recordsText(records: readonly Uint8Array[]): string {
  const [first] = records;
  const last = records.at(-1);
  if (first === undefined || last === undefined) return "";
  if (records.length <= LISTED_MAX) return records.map(recordText).join(", ");
  const [from, to] = [recordHeader(first).firstZxid, recordHeader(last).lastZxid];
  return `${records.length} records, ${zxidText(from)} to ${zxidText(to)}`;
}

function recordText(record: Uint8Array): string {
  const { kind, firstZxid, lastZxid } = recordHeader(record);
  const range =
    firstZxid === lastZxid
      ? zxidText(firstZxid)
      : `${zxidText(firstZxid)} to ${zxidText(lastZxid)}`;
  return kind === "batch"
    ? `${range} ${operationsText(recordPayload(record))}`
    : `${range} ${kind}`;
}

function operationsText(payload: Uint8Array): string {
  const operations = decodeBatch(payload);
  if (operations.length > LISTED_MAX) return `${operations.length} operations`;
  return `[${operations.map(operationText).join(", ")}]`;
}

function operationText(operation: Operation): string {
  switch (operation.kind) {
    case "client":
      return short(textOf(operation.operation).trim());
    case "createSession":
      return "createSession";
    case "deleteContainer":
      return `deleteContainer ${operation.path}`;
    default:
      return `${operation.kind} ${zxidText(operation.session)}`;
  }
}
