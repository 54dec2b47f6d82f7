/**
 * What operators ask of nodes over NATS (`zooid transfer-leadership`, `zooid restart`), and what nodes answer. A message is a line of text: the tag
 * of the sender's key, or `-`, a space, and JSON. Whoever may publish as a node may be an operator; `docs/operations/rolling-restart.md` has the
 * subjects.
 */
import type { ServerId } from "./ids.ts";
import { SERVER_ID_MAX, SERVER_ID_MIN } from "./ids.ts";
import { OPERATOR_MESSAGE_BYTES_MAX } from "./limits.ts";

/** Names a question, or stands for a right to one: drawn at random. */
const TOKEN = /^[\w-]{8,64}$/;

/** `asked` names the request in the answer. */
export type OperatorRequest =
  | { readonly kind: "status"; readonly asked: string }
  /** `challenge`: one that this process has given with its status, and that was not used yet. So a request is good once. */
  | {
      readonly kind: "transferLeadership";
      readonly asked: string;
      readonly challenge: string;
      /** Undefined: to whoever has the most. */
      readonly to: ServerId | undefined;
    }
  | { readonly kind: "restart"; readonly asked: string; readonly challenge: string };

export type NodeStatus = {
  readonly node: ServerId;
  /** Tells its process from the one before: another one after each start. */
  readonly nonce: string;
  readonly members: readonly ServerId[];
  readonly role: string;
  readonly leader: ServerId | undefined;
  readonly epoch: number;
  /** What every lane of the node has applied. */
  readonly applied: number;
  /** Why it serves no clients; undefined: it does. */
  readonly notReady: string | undefined;
};

export type OperatorAnswer =
  | (NodeStatus & {
      readonly kind: "status";
      readonly asked: string;
      readonly challenge: string;
    })
  | {
      readonly kind: "transferred";
      readonly asked: string;
      readonly from: ServerId;
      readonly to: ServerId;
      readonly tookMs: number;
      readonly pausedMs: number;
    }
  /** The process is about to end, with the exit code that asks for another start. */
  | { readonly kind: "restarting"; readonly asked: string }
  | { readonly kind: "refused"; readonly asked: string; readonly reason: string };

export function operatorText(tag: string, message: OperatorRequest | OperatorAnswer): string {
  return `${tag} ${JSON.stringify(message)}`;
}

/** The tag and the rest of a message; undefined if it is none. */
export function splitOperatorText(
  bytes: Uint8Array,
): { readonly tag: string; readonly json: string } | undefined {
  if (bytes.length > OPERATOR_MESSAGE_BYTES_MAX) return undefined;
  const text = new TextDecoder().decode(bytes);
  const space = text.indexOf(" ");
  const tag = text.slice(0, Math.max(space, 0));
  return /^(?:-|[0-9a-f]{64})$/.test(tag) ? { tag, json: text.slice(space + 1) } : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Undefined: the text is no request. */
export function readOperatorRequest(json: string): OperatorRequest | undefined {
  const fields = fieldsOf(json);
  const { kind, asked, challenge, to } = fields ?? {};
  if (!isToken(asked)) return undefined;
  if (kind === "status") return { kind, asked };
  if (!isToken(challenge)) return undefined;
  if (kind === "restart") return { kind, asked, challenge };
  if (kind !== "transferLeadership" || (to !== undefined && !isServer(to))) return undefined;
  return { kind, asked, challenge, to };
}

/** Undefined: the text is no answer. */
export function readOperatorAnswer(json: string): OperatorAnswer | undefined {
  const fields = fieldsOf(json);
  if (fields === undefined || !isToken(fields["asked"])) return undefined;
  const { asked, kind } = fields as { readonly asked: string; readonly kind: unknown };
  if (kind === "restarting") return { kind, asked };
  if (kind === "refused") return { kind, asked, reason: textOf(fields["reason"]) };
  if (kind === "status") return statusIn(fields, asked);
  const { from, to, tookMs, pausedMs } = fields;
  if (kind !== "transferred" || !isServer(from) || !isServer(to)) return undefined;
  return { kind, asked, from, to, tookMs: Number(tookMs), pausedMs: Number(pausedMs) };
}

function statusIn(fields: Fields, asked: string): OperatorAnswer | undefined {
  const { node, nonce, members, role, leader, epoch, applied, notReady, challenge } = fields;
  if (!isServer(node) || !isToken(challenge) || !Array.isArray(members)) return undefined;
  if (!members.every(isServer) || (leader !== undefined && !isServer(leader))) return undefined;
  return {
    ...{ kind: "status", asked, node, challenge, members, leader },
    ...{ nonce: textOf(nonce), role: textOf(role) },
    ...{ epoch: Number(epoch), applied: Number(applied) },
    notReady: notReady === undefined ? undefined : textOf(notReady),
  };
}

function fieldsOf(json: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isToken(value: unknown): value is string {
  return typeof value === "string" && TOKEN.test(value);
}

function isServer(value: unknown): value is ServerId {
  const isNumber = Number.isInteger(value);
  return isNumber && Number(value) >= SERVER_ID_MIN && Number(value) <= SERVER_ID_MAX;
}
