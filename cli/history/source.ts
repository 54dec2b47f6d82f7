/** Where a command asks for the past: the data folder of a node on this machine, or the admin server of a node anywhere. */
import type { Given } from "../console/given.ts";
import { MisusedError } from "../console/exit-codes.ts";
import type { Question } from "../../server/history/questions.ts";

export type Json = Readonly<Record<string, unknown>>;

export type PastSource = {
  /** The largest `limit` of a question. */
  readonly pageMax: number;
  /** Rejects with a `PastRefused`, or another error with a code. */
  readonly ask: (question: Question) => Promise<Json>;
};

/** The question has no answer. */
export class PastRefused extends Error {
  override readonly name = "PastRefused";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = OTHER_CODES[code] ?? code;
  }
}

/** What these mean for clients of today is not what helps here. */
const OTHER_CODES: Readonly<Record<string, string>> = {
  ZOOID_NO_NODE: "ZOOID_NO_NODE_THEN",
  ZOOID_NO_AUTH: "ZOOID_NO_AUTH_THEN",
};

/** Throws a MisusedError. */
export async function pastSourceOf(given: Given): Promise<PastSource> {
  const [folder, url] = [given.value("data-dir"), given.value("admin")];
  if (folder !== undefined) {
    if (given.has("token-file")) throw new MisusedError("--token-file goes with --admin");
    return (await import("./folder-source.ts")).folderSource(folder, given.value("server"));
  }
  if (url === undefined) {
    throw new MisusedError(
      "say where the past is read: --data-dir DIR on the machine of a node, or --admin URL of a node's admin server",
    );
  }
  if (given.has("server")) throw new MisusedError("--server goes with --data-dir");
  return (await import("./admin-source.ts")).adminSource(url, given.value("token-file"));
}
