/** Changes of znodes through the API: what may be asked, and what is asked of the node. Each is in the audit log before and behind it. */
import { randomUUID } from "node:crypto";
import { isUtf8 } from "node:buffer";
import { assert } from "../../../protocol/assert.ts";
import { checkPath, checkVersion } from "../../../protocol/arguments.ts";
import { BadArgumentsError, ZooidError } from "../../../protocol/errors.ts";
import { REMOVE_RECURSIVE_MAX } from "../../../protocol/limits.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import type { OwnClient } from "../../embedded/own-client.ts";
import { HistoryError } from "../../history/errors.ts";
import { foreignProblem } from "../foreign-page.ts";
import type { HttpReply, HttpRequest } from "../http-server.ts";
import type { Audit, AuditEntry } from "./audit.ts";
import type { BroughtBack, Wanted } from "./bring-back.ts";
import { historyReply } from "./history.ts";
import { errorReply, jsonReply, zxidIn } from "./json.ts";

export type Write = "create" | "set" | "delete" | "delete-all" | "bring-back";

type Asked = {
  readonly path: string;
  readonly data: Buffer | null;
  readonly version: number | undefined;
  readonly sequential: boolean;
  readonly parents: boolean;
  /** The most that may be deleted. */
  readonly znodes: number;
  /** The zxid of the tree from which znodes are brought back, and what `next` of the page before was. */
  readonly from: Zxid | undefined;
  readonly after: string;
};

type Done = {
  readonly path: string;
  /** Undefined: nothing was changed. */
  readonly zxid: Zxid | undefined;
  readonly version?: number;
  /** How many znodes were made, where that may be many. */
  readonly made?: number;
};

/** The fields of a body, with the kinds of values that they take. */
const FIELDS: Readonly<Record<Write, Readonly<Record<string, "string" | "number" | "boolean">>>> = {
  create: {
    path: "string",
    text: "string",
    base64: "string",
    sequential: "boolean",
    parents: "boolean",
  },
  set: { path: "string", text: "string", base64: "string", version: "number" },
  delete: { path: "string", version: "number" },
  "delete-all": { path: "string", znodes: "number" },
  "bring-back": { path: "string", zxid: "string", after: "string" },
};

const NO_AUDIT = "ZOOID_NO_AUDIT";

export type WriteOptions = {
  readonly client: () => Promise<OwnClient>;
  readonly audit: Audit;
  /** Deletes the znode and what is below it, or nothing if these are more than `znodes`. Returns the zxid. */
  readonly deleteAll: (client: OwnClient, path: string, znodes: number) => Promise<Zxid>;
  /** Whoever has proved who he is. */
  readonly who: string;
  /** Makes znodes again. Undefined: there is no past to take them from, and no such write is offered. */
  readonly bringBack?: (wanted: Wanted) => Promise<BroughtBack>;
};

export async function answerWrite(
  what: Write,
  request: HttpRequest,
  options: WriteOptions,
): Promise<HttpReply> {
  const { audit, who } = options;
  const foreign = foreignProblem(request);
  if (foreign !== undefined) return errorReply(403, "ZOOID_FOREIGN_PAGE", foreign);
  const type = request.contentType?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return errorReply(
      415,
      "ZOOID_BAD_ARGUMENTS",
      "the body must be JSON, and say so: Content-Type: application/json",
    );
  }
  const body = await request.body();
  if (body.kind === "refused") return errorReply(body.status, "ZOOID_BAD_ARGUMENTS", body.why);
  const asked = askedIn(what, body.bytes);
  if (typeof asked === "string") return errorReply(400, "ZOOID_BAD_ARGUMENTS", asked);
  const { path, version } = asked;
  const of = asked.from === undefined ? {} : { from: formatZxid(asked.from) };
  const address = request.remoteAddress;
  const about = { change: randomUUID(), who, address, what, path, version, ...of };
  try {
    return await audited(about, audit, async () => await perform(what, options, asked));
  } catch (error) {
    if (error instanceof HistoryError) return historyReply(error);
    throw error;
  }
}

async function audited(
  about: Omit<AuditEntry, "phase" | "result" | "zxid">,
  audit: Audit,
  change: () => Promise<Done>,
): Promise<HttpReply> {
  const write = async (entry: AuditEntry): Promise<string | undefined> => {
    try {
      await audit(entry);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const unwritten = await write({ ...about, phase: "asked" });
  if (unwritten !== undefined) {
    return errorReply(
      503,
      NO_AUDIT,
      `nothing was changed: the audit log cannot be written (${unwritten})`,
    );
  }
  try {
    const { path, zxid, ...others } = await change();
    const done = zxid === undefined ? undefined : formatZxid(zxid);
    const { made } = others;
    const answered = { ...about, path, phase: "answered", result: "done", zxid: done } as const;
    const problem = await write({ ...answered, ...(made !== undefined && { made }) });
    if (problem !== undefined) {
      return errorReply(
        500,
        NO_AUDIT,
        `done${done === undefined ? "" : ` at ${done}`}, and the audit log cannot be written (${problem})`,
      );
    }
    return jsonReply(200, { path, zxid: done ?? null, ...others });
  } catch (error) {
    await write({
      ...about,
      phase: "answered",
      result:
        error instanceof ZooidError || error instanceof HistoryError ? error.code : "ZOOID_FAILED",
    });
    throw error;
  }
}

async function perform(
  what: Write,
  { client: connect, deleteAll, bringBack }: WriteOptions,
  asked: Asked,
): Promise<Done> {
  const { path, data, version, sequential, parents, znodes, from, after } = asked;
  if (what === "bring-back") {
    assert(bringBack !== undefined, "only what can be done is offered");
    assert(from !== undefined, "it is asked for with a zxid");
    return { path, ...(await bringBack({ path, zxid: from, after })) };
  }
  const client = await connect();
  if (what === "delete-all") return { path, zxid: await deleteAll(client, path, znodes) };
  const expected = version === undefined ? {} : { version };
  if (what === "create") {
    const made = await client.create(path, data, { sequential, parents });
    return { path: made.path, zxid: made.zxid, version: made.stat.version };
  }
  if (what === "set") {
    const stat = await client.set(path, data, expected);
    return { path, zxid: stat.mzxid, version: stat.version };
  }
  // A transaction tells its zxid, which a delete alone does not.
  const { zxid } = await client.transaction((steps) => [steps.delete(path, expected)]).commit();
  return { path, zxid };
}

function bytesOf(text: string | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}

/** What the client would refuse, which is to be known before it is written down that it was asked for. */
function argumentsProblem(path: string, version: number | undefined): string | undefined {
  try {
    checkPath(path);
    if (version !== undefined) checkVersion(version);
    return undefined;
  } catch (error) {
    if (error instanceof BadArgumentsError) return error.message;
    throw error;
  }
}

/** What is asked for, or what is wrong with it. */
function askedIn(what: Write, bytes: Buffer): Asked | string {
  let body: unknown;
  try {
    if (!isUtf8(bytes)) return "the body must be UTF-8";
    body = JSON.parse(bytes.toString("utf8"));
  } catch {
    return "the body must be JSON";
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return "the body must be an object";
  const fields = FIELDS[what];
  for (const [name, value] of Object.entries(body)) {
    const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (kind === undefined)
      return `${what} has no field ${JSON.stringify(name)}; it has ${Object.keys(fields).join(", ")}`;
    if (typeof value !== kind) return `${name} must be a ${kind}`;
  }
  const {
    path,
    text,
    base64,
    version,
    sequential = false,
    parents = false,
    znodes = 0,
    zxid,
    after = "",
  } = body as {
    readonly path?: string;
    readonly text?: string;
    readonly base64?: string;
    readonly version?: number;
    readonly sequential?: boolean;
    readonly parents?: boolean;
    readonly znodes?: number;
    readonly zxid?: string;
    readonly after?: string;
  };
  if (path === undefined) return "path must be given";
  const problem = argumentsProblem(sequential ? `${path}0` : path, version);
  if (problem !== undefined) return problem;
  if (what === "delete-all" && !isCount(znodes)) {
    return `znodes must be given, as a whole number from 1 to ${REMOVE_RECURSIVE_MAX}`;
  }
  const from = zxid === undefined ? undefined : zxidIn(zxid);
  if (what === "bring-back" && from === undefined) {
    return "zxid must be given: that of the tree from which znodes are brought back, such as 0x100000001";
  }
  if (text !== undefined && base64 !== undefined) return "only one of text and base64 may be given";
  if (what === "set" && text === undefined && base64 === undefined)
    return "text or base64 must be given";
  const data = base64 === undefined ? bytesOf(text) : Buffer.from(base64, "base64");
  // Node skips what is none; a pattern over a megabyte would hold the thread up.
  if (base64 !== undefined && data?.toString("base64") !== base64) {
    return "base64 must be Base64 with its padding";
  }
  return { path, data, version, sequential, parents, znodes, from, after };
}

function isCount(znodes: number): boolean {
  return Number.isInteger(znodes) && znodes >= 1 && znodes <= REMOVE_RECURSIVE_MAX;
}
