/**
 * Formats the operations of a batch as text and as JSON. Session passwords are left out: with one, anybody could take the session
 * over. So are the hashes of clients' passwords.
 */
import { formatSession } from "../../protocol/ids.ts";
import { maskedIdentity } from "../../protocol/access.ts";
import type { Acl } from "../../protocol/acl.ts";
import { unreachable } from "../../protocol/assert.ts";
import { CONTAINER } from "../../protocol/lifetime.ts";
import type {
  ClientOperation,
  CreateMode,
  Operation,
  ZnodeOperation,
} from "../../protocol/operations.ts";
import type { Identity } from "../../protocol/identities.ts";
import { STAT_FIELDS, type Stat } from "../../protocol/stat.ts";
import { formatZxid } from "../../protocol/zxid.ts";

/** How many characters of data are shown in text. */
const SHOWN_CHARACTERS = 64;
const SHOWN_BYTES = 32;

/** Returns one line; for a multi, one more for each of its operations. */
export function operationLines(operation: Operation): readonly string[] {
  switch (operation.kind) {
    case "createSession":
      return [`createSession timeoutMs=${operation.timeoutMs}${addressText(operation)}`];
    case "attachSession":
      return [
        `attachSession session=${formatSession(operation.session)} timeoutMs=${operation.timeoutMs}${addressText(operation)}`,
      ];
    case "expireSession":
      return [
        `expireSession session=${formatSession(operation.session)} attachedAt=${formatZxid(operation.attachedAt)}`,
      ];
    case "deleteContainer":
      return [`deleteContainer ${word(operation.path)} unusedMs=${operation.unusedMs}`];
    case "client": {
      const [first = "", ...rest] = clientLines(operation.operation);
      const session = formatSession(operation.session);
      const request = operation.request === undefined ? "" : ` request=${operation.request.number}`;
      const by = identitiesText(operation.identities);
      return [`${first} session=${session}${request}${by}`, ...rest];
    }
    default:
      return unreachable(operation);
  }
}

function addressText({ address }: { readonly address?: string }): string {
  return address === undefined ? "" : ` address=${word(address)}`;
}

function identitiesText(identities: readonly Identity[] = []): string {
  if (identities.length === 0) return "";
  const texts = identities.map(maskedIdentity).map(({ scheme, id }) => word(`${scheme}:${id}`));
  return ` by=${texts.join(",")}`;
}

function clientLines(operation: ClientOperation): readonly string[] {
  switch (operation.kind) {
    case "closeSession":
      return ["closeSession"];
    case "sync":
      return [`sync ${word(operation.path)}`];
    case "setAcl":
      return [
        `setAcl ${word(operation.path)} acl=${aclText(operation.acl)} version=${operation.version}`,
      ];
    case "multi":
      return [
        `multi operations=${operation.operations.length}`,
        ...operation.operations.map((each) => `  ${znodeText(each)}`),
      ];
    default:
      return [znodeText(operation)];
  }
}

function znodeText(operation: ZnodeOperation): string {
  const path = word(operation.path);
  switch (operation.kind) {
    case "create": {
      const { data, acl, mode } = operation;
      const verb = operation.unlessExists === true ? "createIfNotExists" : "create";
      return `${verb} ${path} data=${dataText(data)} mode=${modeText(mode)} acl=${aclText(acl)}`;
    }
    case "setData":
      return `setData ${path} data=${dataText(operation.data)} version=${operation.version}`;
    case "delete":
    case "check":
    case "checkNotExists":
    case "tryRemove":
      return `${operation.kind} ${path} version=${operation.version}`;
    case "removeRecursive":
      return `removeRecursive ${path} znodesMax=${operation.znodesMax}`;
    case "checkStat":
      return `checkStat ${path} version=${operation.version}${statText(operation.stat)}`;
    case "refusal":
      return `refusal ${path} code=${operation.code}`;
    default:
      return unreachable(operation);
  }
}

/** Returns the operation for programs: zxids and sessions in hexadecimal, data in Base64. */
export function operationJson(operation: Operation): object {
  switch (operation.kind) {
    case "createSession":
      return { operation: operation.kind, timeoutMs: operation.timeoutMs, ...addressOf(operation) };
    case "attachSession": {
      const { kind, session, timeoutMs } = operation;
      return {
        operation: kind,
        session: formatSession(session),
        timeoutMs,
        ...addressOf(operation),
      };
    }
    case "expireSession": {
      const { kind, session, attachedAt } = operation;
      return {
        operation: kind,
        session: formatSession(session),
        attachedAt: formatZxid(attachedAt),
      };
    }
    case "deleteContainer": {
      const { kind, path, unusedMs } = operation;
      return { operation: kind, path, unusedMs };
    }
    case "client": {
      const { session, attachedAt, identities = [], request } = operation;
      const of = {
        ...{ session: formatSession(session), attachedAt: formatZxid(attachedAt) },
        ...(request === undefined ? {} : { request: request.number }),
      };
      const by = identities.length === 0 ? {} : { by: identities.map(maskedIdentity) };
      return { ...clientJson(operation.operation), ...of, ...by };
    }
    default:
      return unreachable(operation);
  }
}

function addressOf({ address }: { readonly address?: string }): { readonly address?: string } {
  return address === undefined ? {} : { address };
}

function clientJson(operation: ClientOperation): object {
  switch (operation.kind) {
    case "closeSession":
      return { operation: operation.kind };
    case "sync":
      return { operation: operation.kind, path: operation.path };
    case "setAcl": {
      const { kind, path, acl, version } = operation;
      return { operation: kind, path, acl: acl.map(maskedIdentity), version };
    }
    case "multi":
      return { operation: operation.kind, operations: operation.operations.map(clientJson) };
    case "create": {
      const { path, data, acl, mode } = operation;
      const kind = operation.unlessExists === true ? "createIfNotExists" : "create";
      const shown = { mode: modeText(mode), acl: acl.map(maskedIdentity) };
      return { operation: kind, path, dataBase64: base64(data), ...shown };
    }
    case "setData": {
      const { kind, path, data, version } = operation;
      return { operation: kind, path, dataBase64: base64(data), version };
    }
    case "delete":
    case "check":
    case "checkNotExists":
    case "tryRemove": {
      const { kind, path, version } = operation;
      return { operation: kind, path, version };
    }
    case "removeRecursive": {
      const { kind, path, znodesMax } = operation;
      return { operation: kind, path, znodesMax };
    }
    case "checkStat": {
      const { kind, path, version, stat } = operation;
      return { operation: kind, path, version, ...Object.fromEntries(checkedFields(stat)) };
    }
    case "refusal": {
      const { kind, path, code } = operation;
      return { operation: kind, path, code };
    }
    default:
      return unreachable(operation);
  }
}

/** The fields of a checkStat that are compared. */
function checkedFields(stat: Stat): readonly (readonly [string, number])[] {
  return STAT_FIELDS.filter((field) => stat[field] !== -1).map((field) => [field, stat[field]]);
}

function statText(stat: Stat): string {
  return checkedFields(stat)
    .map(([field, value]) => ` ${field}=${value}`)
    .join("");
}

function base64(data: Uint8Array | null): string | null {
  return data === null ? null : Buffer.from(data).toString("base64");
}

function modeText({ ephemeral, sequential, lifetime }: CreateMode): string {
  const lasting = ephemeral ? "ephemeral" : "persistent";
  const kind = lifetime === CONTAINER ? "container" : lasting;
  const name = sequential ? `${kind}Sequential` : kind;
  return lifetime === undefined || lifetime === CONTAINER ? name : `${name}Ttl(${lifetime})`;
}

function aclText(acl: readonly Acl[]): string {
  const shown = acl.map(maskedIdentity);
  return shown
    .map(({ scheme, id, permissions }) => word(`${scheme}:${id}:${permissions}`))
    .join(",");
}

/** Returns the text, in quotes if it would not read as one word. */
export function word(text: string): string {
  return /^[\u0021\u0023-\u007e]+$/.test(text) ? text : quoted(text);
}

/** Quotes a text, and escapes everything that a terminal would obey or that changes the direction of the line. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

export function dataText(data: Uint8Array | null): string {
  if (data === null) return "null";
  const text = textOf(data);
  if (text === undefined) {
    const hex = Buffer.from(data.subarray(0, SHOWN_BYTES)).toString("hex");
    return data.length <= SHOWN_BYTES ? `0x${hex}` : `0x${hex}… (${data.length} bytes)`;
  }
  if (text.length <= SHOWN_CHARACTERS) return quoted(text);
  return `${quoted(text.slice(0, SHOWN_CHARACTERS))}… (${data.length} bytes)`;
}

/** Decodes the bytes as text; undefined if they are none. */
function textOf(data: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
    return /[\u0000-\u0008\u000b-\u001f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
