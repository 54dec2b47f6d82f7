/**
 * Checks from the replica whether a client knows its session's password, before anything happens to the session. The id of a session
 * is the zxid that created it, and a password never changes: a replica that has applied that zxid knows enough. A larger id belongs to
 * a session that other nodes know already, or to none; its check waits until this replica has come as far.
 */
import { tell } from "../../inboxes.ts";
import { SESSION_CHECKS_WAITING_MAX } from "../../../protocol/limits.ts";
import type { StreamOwner, TreeMessage, TreeReply } from "../messages.ts";
import { samePassword } from "../store/sessions.ts";
import type { TreeState, TreeTurn } from "../state.ts";

export type SessionCheck = Extract<TreeMessage, { readonly kind: "checkSession" }>;
type Verdict = Extract<TreeReply, { readonly kind: "sessionChecked" }>["verdict"];

export function checkSession(turn: TreeTurn, check: SessionCheck): void {
  const { state: tree } = turn;
  if (check.session <= tree.lastApplied) {
    answer(turn, check, verdictOf(tree, check));
  } else if (tree.sessionChecks.size >= SESSION_CHECKS_WAITING_MAX) {
    answer(turn, check, "behind");
  } else {
    tree.sessionChecks.add(check);
  }
}

/** Answers the checks that were waiting for what is applied now. */
export function answerChecks(turn: TreeTurn): void {
  const { state: tree } = turn;
  for (const check of tree.sessionChecks) {
    if (check.session > tree.lastApplied) continue;
    tree.sessionChecks.delete(check);
    answer(turn, check, verdictOf(tree, check));
  }
}

/** Drops the checks of a connection that has ended. */
export function forgetChecks(tree: TreeState, from: StreamOwner, client: number): void {
  for (const check of tree.sessionChecks) {
    if (check.from === from && check.client === client) tree.sessionChecks.delete(check);
  }
}

function verdictOf({ sessions }: TreeState, { session: id, password }: SessionCheck): Verdict {
  const session = sessions.get(id);
  if (session === undefined) return "unknown";
  return samePassword(session, password) ? "right" : "wrong";
}

function answer(turn: TreeTurn, { from, client }: SessionCheck, verdict: Verdict): void {
  const { state: tree, effects } = turn;
  const reply: TreeReply = { kind: "sessionChecked", client, zxid: tree.lastApplied, verdict };
  effects.push(tell(from, reply));
}
