/** What stands behind a four-letter word that is about one thing. */
import type { SessionId } from "../ids.ts";

/** A znode by its path, or a session, of whose ephemerals perhaps those behind one are meant. */
export type WordArgument =
  | { readonly kind: "znode"; readonly path: string }
  | { readonly kind: "session"; readonly session: SessionId; readonly after: string | undefined };

const SESSION = /^(?<session>0x[0-9a-f]{1,14})(?: (?<after>\/.*))?$/su;

/** Undefined: the text is about nothing. */
export function argumentIn(text: string): WordArgument | undefined {
  if (text.startsWith("/")) return { kind: "znode", path: text };
  const groups = SESSION.exec(text)?.groups;
  const session = Number(groups?.["session"]);
  // Sessions are zxids, and there are none as large as those.
  if (!Number.isSafeInteger(session)) return undefined;
  return { kind: "session", session: session as SessionId, after: groups?.["after"] };
}
