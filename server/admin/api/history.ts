/** The past through the API: what may be asked, and what is answered where there is no answer. */
import { API_HISTORY_MAX, FIND_VALUE_BYTES_MAX } from "../../history/limits.ts";
import { NoAuthError } from "../../../protocol/errors.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { HistoryError, type HistoryCode } from "../../history/errors.ts";
import type { PastProcess } from "../../history/past-process.ts";
import { placeIn, type Question } from "../../history/questions.ts";
import type { OwnClient } from "../../embedded/own-client.ts";
import { foreignProblem } from "../foreign-page.ts";
import type { HttpReply, HttpRequest } from "../http-server.ts";
import { closedAmong, isClosed } from "./closed-znodes.ts";
import { errorReply, jsonReply, zxidIn } from "./json.ts";

export type AskedPast = "span" | "history" | "znode-at" | "children-at" | "diff" | "find";

const LIMIT_DEFAULT = "100";

const STATUSES: Readonly<Record<HistoryCode, number>> = {
  ZOOID_BAD_ARGUMENTS: 400,
  ZOOID_NO_AUTH: 403,
  ZOOID_NO_NODE: 404,
  ZOOID_NO_HISTORY: 404,
  ZOOID_ZXID_AHEAD: 404,
  ZOOID_ZXID_GONE: 410,
  ZOOID_HISTORY_TOO_LARGE: 422,
  ZOOID_HISTORY_UNREADABLE: 503,
  ZOOID_HISTORY_BUSY: 503,
  ZOOID_HISTORY_SLOW: 503,
  ZOOID_HISTORY_FAILED: 503,
};

export type PastOptions = {
  readonly past: () => Promise<PastProcess>;
  /** What the node has applied. Resolves with undefined if it does not answer. */
  readonly committed: () => Promise<Zxid | undefined>;
  /** Reads as who may what everybody may. Rejects while the node serves nobody. */
  readonly client: () => Promise<OwnClient>;
};

/** A znode's past is told if everybody might read it then, and may read it now, as in change streams. */
export async function answerPast(
  what: AskedPast,
  request: HttpRequest,
  { past, committed, client }: PastOptions,
): Promise<HttpReply> {
  // An answer may take seconds of a processor, and a page from elsewhere could ask again and again.
  if (foreignProblem(request) !== undefined) {
    return errorReply(403, "ZOOID_FOREIGN_PAGE", "a page from elsewhere may not ask for the past");
  }
  try {
    const question = questionIn(what, new Parameters(request.query));
    const upTo = await committed();
    if (upTo === undefined) {
      return errorReply(503, "ZOOID_NO_ANSWER", "the node did not answer in time");
    }
    const ask = async (): Promise<object> =>
      await (await past()).ask({ question, hidesClosed: true }, upTo);
    switch (question.kind) {
      case "span":
        return jsonReply(200, await ask());
      case "znode":
      case "children":
        if (await isClosed(await client(), question.path)) throw new NoAuthError(question.path);
        return jsonReply(200, await ask());
      case "history":
      case "diff": {
        // While the node serves nobody, nothing is begun in vain.
        const own = await client();
        const answer = (await ask()) as { readonly changes: Listed };
        return jsonReply(200, { ...answer, changes: await withoutClosed(own, answer.changes) });
      }
      case "find": {
        const own = await client();
        const answer = (await ask()) as { readonly found: Listed };
        return jsonReply(200, { ...answer, found: await withoutClosed(own, answer.found) });
      }
    }
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    return historyReply(error);
  }
}

export function historyReply({ code, message }: HistoryError): HttpReply {
  return errorReply(STATUSES[code], code, message);
}

type Listed = readonly { readonly path: string }[];

/** Where nothing is today, the list then has decided alone. */
async function withoutClosed(client: OwnClient, all: Listed): Promise<Listed> {
  const closed = await closedAmong(client, new Set(all.map(({ path }) => path)));
  return all.filter(({ path }) => !closed.has(path));
}

function questionIn(what: AskedPast, given: Parameters): Question {
  const path = given.text("path") ?? "/";
  switch (what) {
    case "span":
      return { kind: "span" };
    case "history":
      return {
        kind: "history",
        path,
        recursive: given.flag("recursive"),
        from: given.zxid("from"),
        to: given.zxid("to"),
        order: given.oneOf("order", ["newest", "oldest"]),
        limit: given.limit(),
        after: given.place("after"),
      };
    case "znode-at":
      return { kind: "znode", path, zxid: given.neededZxid("zxid") };
    case "children-at":
      return { kind: "children", path, zxid: given.neededZxid("zxid"), ...given.page() };
    case "diff": {
      const [from, to] = [given.neededZxid("from"), given.neededZxid("to")];
      return { kind: "diff", from, to, path, ...given.page() };
    }
    case "find": {
      const sought = { pattern: given.text("pattern"), value: given.bytes("value", "hex") };
      if (sought.pattern === undefined && sought.value === undefined) {
        return bad("a pattern of paths, a value, or hex must be given");
      }
      return { kind: "find", path, zxid: given.zxid("zxid"), ...sought, ...given.page() };
    }
  }
}

/** The parameters of a request. Each throws a `HistoryError` for what is none of its values. */
class Parameters {
  readonly #query: URLSearchParams;

  constructor(query: URLSearchParams) {
    this.#query = query;
  }

  text(name: string): string | undefined {
    return this.#query.get(name) ?? undefined;
  }

  zxid(name: string): Zxid | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : (zxidIn(text) ?? bad(`${name} is a zxid, ${SUCH_AS}`));
  }

  neededZxid(name: string): Zxid {
    return this.zxid(name) ?? bad(`${name} must be given: a zxid, ${SUCH_AS}`);
  }

  place(name: string): ReturnType<typeof placeIn> {
    const text = this.text(name);
    return text === undefined ? undefined : (placeIn(text) ?? bad(`${name} is what next was`));
  }

  /** In hexadecimal digits, given as text by one name or as such digits by the other. */
  bytes(textName: string, hexName: string): string | undefined {
    const [text, hex] = [this.text(textName), this.text(hexName)];
    if (text !== undefined && hex !== undefined)
      bad(`only one of ${textName} and ${hexName} is given`);
    const digits = hex ?? (text === undefined ? undefined : Buffer.from(text).toString("hex"));
    if (digits === undefined) return undefined;
    if (!/^[0-9a-f]*$/i.test(digits) || digits.length % 2 !== 0) {
      bad(`${hexName} has two hexadecimal digits for each byte`);
    }
    const length = digits.length / 2;
    if (length >= 1 && length <= FIND_VALUE_BYTES_MAX) return digits;
    return bad(`what is looked for in values has 1 to ${FIND_VALUE_BYTES_MAX} bytes`);
  }

  flag(name: string): boolean {
    return this.oneOf(name, ["false", "true"]) === "true";
  }

  /** The first one is the default. */
  oneOf<Value extends string>(name: string, values: readonly [Value, ...Value[]]): Value {
    const text = this.text(name) ?? values[0];
    return values.find((each) => each === text) ?? bad(`${name} is ${values.join(" or ")}`);
  }

  limit(): number {
    const text = this.text("limit") ?? LIMIT_DEFAULT;
    const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (limit >= 1 && limit <= API_HISTORY_MAX) return limit;
    return bad(`limit must be a whole number from 1 to ${API_HISTORY_MAX}`);
  }

  page(): { readonly after: string; readonly limit: number } {
    return { after: this.text("after") ?? "", limit: this.limit() };
  }
}

const SUCH_AS = "such as 0x100000001";

function bad(why: string): never {
  throw new HistoryError("ZOOID_BAD_ARGUMENTS", why);
}
