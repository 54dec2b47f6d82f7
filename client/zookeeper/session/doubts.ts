/**
 * Writes whose connection was lost while they were under way. Whether they were done is not known, but for one case that is worth a look:
 * an ephemeral znode that belongs to this session, and is newer than everything that the session had seen, was made by the create that
 * was under way, if only one of those that were could have made it. It cannot have been another session, nor an earlier create.
 */
import type { ClientOperation, ZnodeOperation } from "../../../protocol/operations.ts";
import { SEQUENCE_SUFFIX_LENGTH } from "../../../protocol/paths.ts";
import type { Stat } from "../../../protocol/stat.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import { changesSomething, type Reply } from "./asks.ts";
import type { Call, Doubt } from "./call.ts";
import { ownPath } from "./chroot.ts";
import type { Pending } from "./requests.ts";
import { ask, done, fail } from "./settling.ts";
import { ownerNumber, type Turn } from "./state.ts";

type Create = Extract<ZnodeOperation, { readonly kind: "create" }>;

/** A create that nobody knows about, as one of several or alone. */
type Made = { readonly call: Call; readonly path: string; readonly sequential: boolean };

/** Reads that were under way go back to the front of the queue; writes fail, unless the next connection may show what became of them. */
export function loseCalls(turn: Turn, lost: readonly Pending[], reason: string): void {
  const { state } = turn;
  const { requests } = state;
  const again: Pending[] = [];
  const written: Call[] = [];
  // Nobody waits for them any more, but what they made may be found.
  const left: Call[] = [];
  for (const pending of lost) {
    const { purpose } = pending;
    if (purpose.kind !== "call") continue;
    const { call } = purpose;
    if (changesSomething(pending.ask)) (call.settled ? left : written).push(call);
    else if (!call.settled) again.push(pending);
  }
  const isStillWanted = ({ purpose }: Pending): boolean => purpose.kind === "call";
  const waiting = requests.waiting.filter(isStillWanted);
  const looking = [...again, ...waiting].filter(isProof);
  const made = [...written, ...left, ...looking.map(callOf)].flatMap(madeBy);
  for (const pending of looking) {
    if (isAmbiguous(pending, made)) failUnknown(turn, callOf(pending), reason);
  }
  const rest = [...again, ...waiting].filter(({ purpose }) => {
    return purpose.kind === "call" && !purpose.call.settled;
  });
  requests.waiting = rest;
  const doubts = written.map((call) => ({ call, doubt: doubtOf(turn, call, made, reason) }));
  // The first of them is asked first, and all of them before what waits.
  for (const { call, doubt } of doubts.reverse()) {
    if (doubt === undefined) failUnknown(turn, call, reason);
    else look(turn, call, doubt);
  }
}

function failUnknown(turn: Turn, call: Call, reason: string): void {
  fail(turn, call, { kind: "connectionLost", reason });
}

function isProof({ purpose }: Pending): boolean {
  return purpose.kind === "call" && purpose.stage.kind === "proof";
}

function callOf({ purpose }: Pending): Call {
  if (purpose.kind !== "call") throw new Error("only calls are looked for");
  return purpose.call;
}

function createsOf(operation: ClientOperation | undefined): readonly Create[] {
  if (operation === undefined) return [];
  const operations = operation.kind === "multi" ? operation.operations : [operation];
  return operations.filter((each) => each.kind === "create");
}

function madeBy(call: Call): readonly Made[] {
  return createsOf(call.operation).map(({ path, mode }) => {
    return { call, path, sequential: mode.sequential };
  });
}

function isAmbiguous({ purpose }: Pending, made: readonly Made[]): boolean {
  if (purpose.kind !== "call" || purpose.stage.kind !== "proof") return false;
  return !isOnly({ call: purpose.call, ...purpose.stage.doubt }, made);
}

/** Whether no other create could have made the same znode. */
function isOnly(one: Made, made: readonly Made[]): boolean {
  const rivals = made.filter((other) => {
    if (other.path === one.path) return true;
    const isBelow = one.sequential && other.path.startsWith(one.path);
    return isBelow || (other.sequential && one.path.startsWith(other.path));
  });
  return rivals.length === 1;
}

function doubtOf(
  { state }: Turn,
  call: Call,
  made: readonly Made[],
  reason: string,
): Doubt | undefined {
  for (const { path, mode } of createsOf(call.operation)) {
    const { sequential } = mode;
    if (!mode.ephemeral || !isOnly({ call, path, sequential }, made)) continue;
    const found = sequential ? undefined : path;
    return { path, sequential, after: state.lastZxid, reason, found };
  }
  return undefined;
}

function look(turn: Turn, call: Call, doubt: Doubt): void {
  const { found, path } = doubt;
  const asked =
    found === undefined
      ? ({ kind: "getEphemerals", prefix: path } as const)
      : ({ kind: "exists", path: found, watch: false } as const);
  ask(turn, asked, { kind: "call", call, stage: { kind: "proof", doubt } }, "first");
}

/** Takes the answer to such a look. That there is nothing proves nothing: the write may still be on its way to this server. */
export function lookedFor(turn: Turn, call: Call, doubt: Doubt, reply: Reply): void {
  if (reply.kind === "paths") {
    const numbered = reply.paths.filter((path) => isNumbered(path, doubt.path));
    // Sequence numbers grow, but for those that have become negative.
    const [newest] = numbered.sort().reverse();
    if (newest !== undefined) return look(turn, call, { ...doubt, found: newest });
  }
  if (reply.kind === "stat" && isOurs(turn, reply.stat, doubt.after)) {
    return proven(turn, call, doubt, reply.stat);
  }
  failUnknown(turn, call, doubt.reason);
}

function isNumbered(path: string, prefix: string): boolean {
  const suffix = path.slice(prefix.length);
  return (
    path.startsWith(prefix) && suffix.length === SEQUENCE_SUFFIX_LENGTH && /^[0-9]+$/.test(suffix)
  );
}

function isOurs({ state }: Turn, stat: Stat, after: Zxid): boolean {
  return stat.ephemeralOwner === ownerNumber(state.session, state.session) && stat.czxid > after;
}

/** A create alone is answered as if its connection had not been lost. The other results of a multi are not known. */
function proven(turn: Turn, call: Call, { found, path, reason }: Doubt, stat: Stat): void {
  const { operation } = call;
  if (operation?.kind !== "create") {
    call.maybeApplied = "yes";
    fail(turn, call, { kind: "connectionLost", reason });
    return;
  }
  const { czxid, ctime } = stat;
  const created: Stat = {
    ...{ czxid, mzxid: czxid, ctime, mtime: ctime, version: 0, cversion: 0, aversion: 0 },
    ephemeralOwner: stat.ephemeralOwner,
    ...{ dataLength: operation.data?.length ?? 0, numChildren: 0, pzxid: czxid },
  };
  const own = ownPath(turn.state.options.chroot, found ?? path);
  done(turn, call, { zxid: czxid, result: { kind: "created", path: own, stat: created } });
}
