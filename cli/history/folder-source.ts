/** The past as the data folder of a node holds it. The node may run: it is asked over its client port what is committed, and nothing else. */
import { BadArgumentsError } from "../../protocol/errors.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { PastReader } from "../../server/history/answers.ts";
import { HistoryError } from "../../server/history/errors.ts";
import { lowerPriority } from "../../server/offline/low-priority.ts";
import { ReadOnlyFolder } from "../../server/offline/read-only-folder.ts";
import { readFailed } from "../../server/skipped-operations.ts";
import { type Address, addressOf, askNode } from "../backup/ask-node.ts";
import { SERVER_DEFAULT } from "../backup/command-words.ts";
import { MisusedError } from "../console/exit-codes.ts";
import { runningPid, whyUnreadable } from "../inspect/data-folder.ts";
import { type Json, PastRefused, type PastSource } from "./source.ts";

/** So many changes are remembered at a time. */
const PAGE_MAX = 10_000;

export function folderSource(path: string, server: string = SERVER_DEFAULT): PastSource {
  const why = whyUnreadable(path);
  if (why !== undefined) throw new MisusedError(why);
  const address = addressOf(server);
  if (address === undefined) {
    throw new MisusedError(`--server ${server} is no address: write it as ${SERVER_DEFAULT}`);
  }
  lowerPriority();
  const reader = new PastReader({
    open: () => new ReadOnlyFolder(path),
    committed: () => committedZxid(path, address),
    skips: readFailed(path).skipped,
  });
  return {
    pageMax: PAGE_MAX,
    ask: async (question) => {
      try {
        return (await reader.answer({ question, hidesClosed: false })) as Json;
      } catch (error) {
        if (!(error instanceof HistoryError || error instanceof BadArgumentsError)) throw error;
        throw new PastRefused(error.code, error.message, { cause: error });
      }
    },
  };
}

async function committedZxid(path: string, address: Address): Promise<Zxid | undefined> {
  const pid = runningPid(path);
  if (pid === undefined) return undefined;
  const answer = await askNode(address);
  if (answer.kind === "serves") return answer.zxid;
  throw new PastRefused(
    "ZOOID_UNREACHABLE_NODE",
    `${path} is in use by process ${pid}, and only that node knows what of it is committed: ${address.host}:${address.port} was asked (srvr), and ${answer.why}. Name the address of its client port by --server`,
  );
}
