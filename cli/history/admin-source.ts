/** The past as the admin server of a node tells it. */
import { readFileSync } from "node:fs";
import { API_HISTORY_MAX } from "../../server/history/limits.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { placeText, type Question } from "../../server/history/questions.ts";
import { messageOf } from "../command.ts";
import { MisusedError } from "../console/exit-codes.ts";
import { type Json, PastRefused, type PastSource } from "./source.ts";

/** Longer than the node takes at most for an answer. */
const ANSWER_MS_MAX = 60_000;
const UNAUTHORIZED = 401;

export function adminSource(text: string, tokenFile: string | undefined): PastSource {
  const base = URL.parse(text);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new MisusedError(`--admin ${text} is no URL: write it as http://127.0.0.1:8080`);
  }
  const headers = tokenFile === undefined ? {} : { authorization: `Bearer ${tokenIn(tokenFile)}` };
  const ask = async (question: Question): Promise<Json> => {
    const { name, query } = requestOf(question);
    const url = new URL(`/api/v1/${name}?${query.toString()}`, base);
    const response = await responseOf(url, headers);
    if (response.status === UNAUTHORIZED) {
      throw new PastRefused("ZOOID_NO_PROOF", `${base.origin} asks who you are`);
    }
    return answerIn(response, base.origin);
  };
  return { pageMax: API_HISTORY_MAX, ask };
}

function tokenIn(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new MisusedError(`--token-file ${file} cannot be read: ${messageOf(error)}`);
  }
}

type Response = { readonly status: number; readonly text: string };

async function responseOf(url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const response = await fetch(url, { headers, signal, redirect: "error" });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const why = `${url.origin} does not answer: ${messageOf(cause)}`;
    throw new PastRefused("ZOOID_UNREACHABLE_NODE", why, { cause: error });
  }
}

function answerIn({ status, text }: Response, origin: string): Json {
  const answer = parsed(text);
  const error = answer?.["error"] as { readonly code?: string; readonly message?: string };
  if (answer !== undefined && error === undefined && status === 200) return answer;
  if (typeof error?.code === "string") {
    throw new PastRefused(error.code, String(error.message));
  }
  throw new PastRefused(
    "ZOOID_UNREACHABLE_NODE",
    `${origin} is no admin server of a zooid that tells of the past (status ${status})`,
  );
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

type Request = { readonly name: string; readonly query: URLSearchParams };

function requestOf(question: Question): Request {
  switch (question.kind) {
    case "span":
      return { name: "span", query: new URLSearchParams() };
    case "history": {
      const { path, recursive, order, limit, from, to, after } = question;
      const place = after === undefined ? undefined : placeText(after);
      return requestWith("history", { path, recursive, order, limit, from, to, after: place });
    }
    case "znode":
      return requestWith("znode-at", { path: question.path, zxid: question.zxid });
    case "children": {
      const { path, zxid, after, limit } = question;
      return requestWith("children-at", { path, zxid, after, limit });
    }
    case "diff": {
      const { from, to, path, after, limit } = question;
      return requestWith("diff", { from, to, path, after, limit });
    }
    case "find": {
      const { path, zxid, pattern, value, after, limit } = question;
      return requestWith("find", { path, zxid, pattern, hex: value, after, limit });
    }
  }
}

const ZXIDS: ReadonlySet<string> = new Set(["zxid", "from", "to"]);

function requestWith(
  name: string,
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): Request {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue;
    query.set(key, ZXIDS.has(key) ? formatZxid(value as Zxid) : String(value));
  }
  return { name, query };
}
