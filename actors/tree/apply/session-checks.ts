/**
 * Whether a client knows its session's password, told from the replica before anything happens to the session. A session's id is
 * the zxid that created it and its password never changes: so what is applied up to the id is enough to know. An id beyond is of
 * a session that another node already knows, or of none: it waits until this replica has come as far.
 */
import { SESSION_CHECKS_WAITING_MAX } from "../../../protocol/limits.ts";
import type { Effect } from "../../../runtime/effects.ts";
import type { TreeMessage, TreeReply } from "../messages.ts";
import { samePassword } from "../store/sessions.ts";
import type { TreeState } from "../state.ts";

export type SessionCheck = Extract<TreeMessage, { readonly kind: "checkSession" }>;
type Verdict = Extract<TreeReply, { readonly kind: "sessionChecked" }>["verdict"];

export function checkSession(tree: TreeState, check: SessionCheck, effects: Effect[]): void {
  if (check.session <= tree.lastApplied) {
    answer(tree, check, verdictOf(tree, check), effects);
  } else if (tree.sessionChecks.size >= SESSION_CHECKS_WAITING_MAX) {
    answer(tree, check, "behind", effects);
  } else {
    tree.sessionChecks.add(check);
  }
}

/** More is applied. */
export function answerChecks(tree: TreeState, effects: Effect[]): void {
  for (const check of tree.sessionChecks) {
    if (check.session > tree.lastApplied) continue;
    tree.sessionChecks.delete(check);
    answer(tree, check, verdictOf(tree, check), effects);
  }
}

/** The client is gone. */
export function forgetChecks(tree: TreeState, from: string, client: number): void {
  for (const check of tree.sessionChecks) {
    if (check.from === from && check.client === client) tree.sessionChecks.delete(check);
  }
}

function verdictOf({ sessions }: TreeState, { session: id, password }: SessionCheck): Verdict {
  const session = sessions.get(id);
  if (session === undefined) return "unknown";
  return samePassword(session, password) ? "right" : "wrong";
}

function answer(
  tree: TreeState,
  { from, client }: SessionCheck,
  verdict: Verdict,
  effects: Effect[],
): void {
  const reply: TreeReply = { kind: "sessionChecked", client, zxid: tree.lastApplied, verdict };
  effects.push({ kind: "tell", to: from, message: reply });
}
