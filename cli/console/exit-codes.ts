/** How a command ends: the exit code of each failure, and what the user can do about it. */
import type { ZooidError } from "../../protocol/errors.ts";
import { EXIT_FAILED, EXIT_MISUSED, EXIT_OK } from "../command.ts";

export const EXIT_NO_ZNODE = 3;
export const EXIT_REFUSED = 4;
export const EXIT_NOT_ALLOWED = 5;
export const EXIT_UNREACHABLE = 6;
/** As shells have it for a program that Ctrl-C ended. */
export const EXIT_INTERRUPTED = 130;
/** As shells have it for a program whose output nobody reads any more. */
export const EXIT_READER_GONE = 141;

export const EXIT_CODES: readonly { readonly code: number; readonly meaning: string }[] = [
  { code: EXIT_OK, meaning: "done" },
  { code: EXIT_FAILED, meaning: "failed in a way that has no code of its own" },
  { code: EXIT_MISUSED, meaning: "wrong command, flag, path or value: nothing was done" },
  { code: EXIT_NO_ZNODE, meaning: "there is no such znode, or no parent for it" },
  {
    code: EXIT_REFUSED,
    meaning:
      "refused by what is there: it exists, has children, or has another version; the zxid is ahead or no longer kept",
  },
  { code: EXIT_NOT_ALLOWED, meaning: "an access control list does not allow it" },
  {
    code: EXIT_UNREACHABLE,
    meaning:
      "no server, no answer in time, or the session is over; the message says whether a write may have been done",
  },
  { code: EXIT_INTERRUPTED, meaning: "ended by Ctrl-C or a signal" },
  { code: EXIT_READER_GONE, meaning: "the reader of standard output has gone, as `head` does" },
];

/** Bad input that a command finds by itself. Nothing was done. */
export class MisusedError extends Error {
  override readonly name = "MisusedError";
}

type Ending = { readonly code: number; readonly hint?: string };

const ENDINGS: Readonly<Record<string, Ending>> = {
  ZOOID_BAD_ARGUMENTS: { code: EXIT_MISUSED },
  ZOOID_INVALID_ACL: {
    code: EXIT_MISUSED,
    hint: "an entry is SCHEME:ID:PERMISSIONS, as in world:anyone:cdrwa or digest:bob:HASH:rw",
  },
  ZOOID_NO_NODE: {
    code: EXIT_NO_ZNODE,
    hint: "ls shows what is there; create --parents makes missing ancestors",
  },
  ZOOID_NODE_EXISTS: { code: EXIT_REFUSED, hint: "set changes its value" },
  ZOOID_BAD_VERSION: {
    code: EXIT_REFUSED,
    hint: "somebody has changed it: stat shows the version that it has",
  },
  ZOOID_NOT_EMPTY: { code: EXIT_REFUSED, hint: "deleteall deletes it with all that is below it" },
  ZOOID_NO_CHILDREN_FOR_EPHEMERALS: { code: EXIT_REFUSED },
  ZOOID_CONDITION_FAILED: { code: EXIT_REFUSED },
  ZOOID_NO_AUTH: {
    code: EXIT_NOT_ALLOWED,
    hint: "acl shows who may do what; --auth USER:PASSWORD, or ZOOID_AUTH, says who you are",
  },
  ZOOID_UNREACHABLE: {
    code: EXIT_UNREACHABLE,
    hint: "--server, or ZOOID_SERVER, says where the ensemble is: zk://host:2181 or nats://host:4222",
  },
  ZOOID_OPERATION_TIMEOUT: {
    code: EXIT_UNREACHABLE,
    hint: "--timeout-ms gives it more time; a write may have been done: look before you ask again",
  },
  ZOOID_CONNECTION_LOSS: { code: EXIT_UNREACHABLE, hint: "look before you ask again" },
  ZOOID_SESSION_EXPIRED: { code: EXIT_UNREACHABLE },
  ZOOID_CLOSED: { code: EXIT_UNREACHABLE },
  ZOOID_NO_NODE_THEN: { code: EXIT_NO_ZNODE, hint: "history says when it was there" },
  ZOOID_NO_HISTORY: {
    code: EXIT_NO_ZNODE,
    hint: "history --recursive of the znode above it says what else was there",
  },
  ZOOID_NO_AUTH_THEN: {
    code: EXIT_NOT_ALLOWED,
    hint: "on the machine of a node, --data-dir shows what its list hides",
  },
  ZOOID_NO_PROOF: {
    code: EXIT_NOT_ALLOWED,
    hint: "--token-file names the file with the token of the admin server",
  },
  ZOOID_ZXID_AHEAD: { code: EXIT_REFUSED },
  ZOOID_ZXID_GONE: { code: EXIT_REFUSED },
  ZOOID_HISTORY_BUSY: { code: EXIT_UNREACHABLE },
  ZOOID_HISTORY_SLOW: { code: EXIT_UNREACHABLE },
  ZOOID_NO_ANSWER: { code: EXIT_UNREACHABLE },
  ZOOID_STARTING: { code: EXIT_UNREACHABLE },
  ZOOID_NOT_SERVING: { code: EXIT_UNREACHABLE },
  ZOOID_UNREACHABLE_NODE: { code: EXIT_UNREACHABLE },
  ZOOID_THROTTLED: { code: EXIT_UNREACHABLE, hint: "ask again a little later" },
};

export function endingOf(error: unknown): Ending {
  if (error instanceof MisusedError) return { code: EXIT_MISUSED };
  if (error instanceof Error && "code" in error) {
    const { code } = error as Partial<ZooidError>;
    return ENDINGS[code ?? ""] ?? { code: EXIT_FAILED };
  }
  return { code: EXIT_FAILED };
}
