/** Asks the JSON API of the node that serves the page (docs/operations/admin-server.md), with the token where one was given. */
import { type Signal, signal } from "@preact/signals";
import type { SeenElection } from "./format/elections.ts";
import type { HeatCell, HeatScale } from "./format/heat.ts";
import type { Prefix } from "./format/prefixes.ts";
import type { SlowRequest } from "./format/slow.ts";

export type Stat = {
  readonly czxid: string;
  readonly mzxid: string;
  readonly pzxid: string;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: string | null;
  readonly dataLength: number;
  readonly numChildren: number;
};

export type Acl = { readonly permissions: number; readonly scheme: string; readonly id: string };

export type Znode = {
  readonly path: string;
  readonly zxid: string;
  readonly base64: string | null;
  readonly text: string | null;
  readonly stat: Stat;
  readonly acl: readonly Acl[];
};

export type ChildrenPage = {
  readonly stat: Stat;
  readonly children: readonly { readonly name: string; readonly stat: Stat }[];
  readonly sorted: boolean;
  readonly next: string | null;
};

export type Access = {
  readonly ensemble: string;
  readonly node: number;
  /** Where the page is: which node, or which ensemble. */
  readonly at: string;
  /** The endpoints that there are. */
  readonly offers: readonly string[];
  readonly who: string | null;
  readonly mayWrite: boolean;
};

export type Count = {
  readonly znodes: number;
  readonly ephemerals: number;
  readonly isWhole: boolean;
};

export type Written = { readonly path: string; readonly zxid: string; readonly version?: number };

/** Null: the node does not measure it. */
type Measured = number | null;

export type NodeState = {
  readonly serves: boolean;
  readonly role: string | null;
  readonly version: string | null;
  readonly epoch: Measured;
  readonly zxid: string | null;
  readonly connections: Measured;
  readonly sessions: Measured;
  readonly watches: Measured;
  readonly outstanding: Measured;
  readonly latencyMs: Readonly<Record<"min" | "average" | "max", Measured>>;
  readonly received: Measured;
  readonly znodes: Measured;
  readonly ephemerals: Measured;
  readonly dataBytes: Measured;
  readonly treeBytes: Measured;
  readonly treeBytesMax: Measured;
  readonly dataFolderBytes: Measured;
  readonly logFolderBytes: Measured;
  readonly fsync: Readonly<Record<"count" | "averageMs" | "p99Us" | "maxMs", Measured>>;
  readonly openFiles: Measured;
  readonly openFilesMax: Measured;
  readonly uptimeMs: Measured;
  readonly writesRefused: boolean;
  readonly growthRefused: boolean;
};

export type Status = {
  readonly ensemble: string;
  readonly node: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly host: string | null;
    readonly client: string | null;
    readonly isThis: boolean;
    /** Null: it has not answered. */
    readonly state: NodeState | null;
  }[];
};

export type Elections = {
  readonly nodes: readonly {
    readonly id: number;
    readonly isThis: boolean;
    /** Null: it has not answered. */
    readonly elections: readonly SeenElection[] | null;
  }[];
};

/** Null: no node that has answered knows it. */
export type SessionRow = {
  readonly session: string;
  readonly node: number | null;
  readonly address: string | null;
  readonly identities: readonly string[];
  readonly timeoutMs: number;
  readonly endsInMs: Measured;
  readonly ephemerals: Measured;
  readonly watches: Measured;
  readonly received: Measured;
  readonly outstanding: Measured;
  readonly perSecond: Measured;
  readonly lastZxid: string | null;
  readonly lastOperation: string | null;
};

/** Which nodes have answered, and how much had no place in their answers. */
export type Answered = readonly {
  readonly id: number;
  readonly answered: boolean;
  readonly omitted: number;
}[];

export type SessionsPage = {
  readonly nodes: Answered;
  readonly total: number;
  readonly matching: number;
  readonly sessions: readonly SessionRow[];
};

export type Watched = { readonly path: string; readonly watches: string };

export type SessionAnswer = {
  readonly nodes: Answered;
  /** Null: it had no place in the answers. */
  readonly session: SessionRow | null;
  readonly watches: readonly Watched[];
};

export type EphemeralsPage = {
  readonly paths: readonly string[];
  readonly left: number;
  readonly next: string | null;
};

export type Watchers = {
  readonly nodes: Answered;
  readonly watches: readonly (Watched & {
    readonly session: string;
    readonly address: string | null;
    readonly node: number;
  })[];
};

export type Latencies = HeatScale & {
  readonly nodes: readonly {
    readonly id: number;
    readonly isThis: boolean;
    /** Null: it has not answered, or serves nobody. */
    readonly cells: readonly HeatCell[] | null;
    readonly prefixes: readonly Prefix[] | null;
  }[];
};

export type SlowRequests = {
  readonly nodes: readonly {
    readonly id: number;
    readonly isThis: boolean;
    /** Null: it has not answered. */
    readonly thresholdMs: number | null;
    readonly counted: number | null;
    readonly requests: readonly SlowRequest[] | null;
  }[];
};

/** What went wrong, with the code of the API. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const API = "/api/v1";
const TOKEN_KEY = "zooid.token";
const ANSWER_MS_MAX = 30_000;
const JSON_BODY = { "Content-Type": "application/json" } as const;

/** For as long as the tab is open; no other tab has it. */
export const token: Signal<string> = signal(sessionStorage.getItem(TOKEN_KEY) ?? "");
/** True: the node has asked for a token, or has refused the one that was given. */
export const asksForToken: Signal<boolean> = signal(false);

export function useToken(text: string): void {
  sessionStorage.setItem(TOKEN_KEY, text);
  token.value = text;
  asksForToken.value = false;
}

export function forgetToken(): void {
  sessionStorage.removeItem(TOKEN_KEY);
  token.value = "";
  asksForToken.value = true;
}

export function authorization(): Readonly<Record<string, string>> {
  return token.value === "" ? {} : { Authorization: `Bearer ${token.value}` };
}

type Query = Readonly<Record<string, string | number | undefined>>;

export function urlOf(name: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return `${API}/${name}${text === "" ? "" : `?${text}`}`;
}

/** Throws ApiError. `Answer` is what the endpoint of the name answers. */
export async function read<Answer>(name: string, query: Query = {}): Promise<Answer> {
  return (await answerTo(urlOf(name, query))) as Answer;
}

/** Throws ApiError. */
export async function write<Answer = Written>(
  name: "create" | "set" | "delete" | "delete-all" | "bring-back",
  body: object,
): Promise<Answer> {
  return (await answerTo(urlOf(name), body)) as Answer;
}

/** With a body it is a POST. */
async function answerTo(url: string, body?: object): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      headers: { ...(body !== undefined && JSON_BODY), ...authorization() },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    text = await response.text();
  } catch {
    throw new ApiError(0, "UNREACHABLE", "The node does not answer. Is it running?");
  }
  if (response.ok) return JSON.parse(text);
  throw errorOf(response.status, text);
}

/** Also notes that a token is asked for. */
export function errorOf(status: number, text: string): ApiError {
  if (status === 401) asksForToken.value = true;
  try {
    const { code, message } = (
      JSON.parse(text) as { readonly error: { readonly code: string; readonly message: string } }
    ).error;
    return new ApiError(status, code, message);
  } catch {
    return new ApiError(status, String(status), text.trim());
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof ApiError ? error.code : undefined;
}
