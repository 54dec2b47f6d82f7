/**
 * The marker of a node without a vote, because it may have forgotten what it acknowledged or promised. It is durable before anything is cut
 * off, and is removed when log-sync says that the node holds again whatever it may have acknowledged.
 */
import { formatZxid } from "../../../protocol/zxid.ts";
import {
  asideName,
  encodeIncarnation,
  encodePromise,
  encodeVoteLoss,
  INCARNATION_FILE,
  PROMISE_FILE,
  VOTE_LOSS_FILE,
} from "../format/files.ts";
import type { VoteLoss } from "../messages.ts";
import {
  perform,
  performIfSpace,
  type Procedure,
  readBytes,
  removeIfThere,
  replaceFile,
  TEMPORARY_SUFFIX,
} from "../format/procedure.ts";
import { performWithReserve, stallChange } from "../disk-space.ts";
import { type LogState, report, log } from "../state.ts";

const COPY_BYTES: number = 1024 * 1024;

export function* storeVoteLoss(state: LogState, loss: VoteLoss): Procedure {
  yield* perform(replaceFile(VOTE_LOSS_FILE, encodeVoteLoss(loss, state.settings.crc32)));
  state.voteLoss = loss;
}

/** Takes the vote away durably. The marker is written before the incarnation, so that a crash between the two leaves no vote. */
export function* loseVote(state: LogState, incarnation: number): Procedure {
  const { promise, settings } = state;
  yield* storeVoteLoss(state, { reason: "promise", epoch: promise.epoch });
  const counted = encodeIncarnation(incarnation, settings.crc32);
  yield* perform(replaceFile(INCARNATION_FILE, counted));
  state.changes.shift();
  report(state, { kind: "voteLost" });
}

/** Gives the vote back, as the head of the changes says. If there is no space for the promise, it stays there and is tried again. */
export function* regainVote(state: LogState): Procedure {
  const { promise, settings } = state;
  // The file may still be the damaged one, if the promise that is in memory is only the epoch of the log's last record.
  const bytes = encodePromise(promise, settings.crc32);
  if (!(yield* performWithReserve(state, replaceFile(PROMISE_FILE, bytes)))) {
    yield* removeIfThere(`${PROMISE_FILE}${TEMPORARY_SUFFIX}`);
    stallChange(state);
    return;
  }
  for (const file of state.damagedFiles.splice(0)) yield* removeIfThere(file);
  yield* removeIfThere(VOTE_LOSS_FILE);
  state.voteLoss = undefined;
  state.changes.shift();
  log(state, "voteRegained", { lastZxid: formatZxid(state.index.lastZxid) });
  report(state, { kind: "voteRegained" });
}

/** Renames a file that cannot be used, so that an operator can find out later what happened. */
export function* setAside(state: LogState, file: string): Procedure {
  const to = asideName(file);
  yield* perform([{ kind: "rename", file, to }, { kind: "syncFolder" }]);
  log(state, "setAside", { file, to });
  if (!state.damagedFiles.includes(to)) state.damagedFiles.push(to);
}

/** Cuts the file off at `end`. If the disk has space, a copy of the whole file is set aside first. */
export function* cutAside(
  state: LogState,
  file: { readonly name: string; readonly size: number; readonly end: number },
): Procedure {
  const { name, size, end } = file;
  const to = asideName(name);
  let copied = 0;
  let hasSpace = true;
  while (hasSpace && copied < size) {
    const bytes = yield* readBytes(name, copied, Math.min(COPY_BYTES, size - copied));
    hasSpace = yield* performIfSpace([
      { kind: "write", file: to, position: copied, buffers: [bytes] },
      { kind: "sync", file: to },
    ]);
    copied += bytes.length;
  }
  if (hasSpace) state.damagedFiles.push(to);
  else yield* removeIfThere(to);
  yield* perform([
    { kind: "truncate", file: name, length: end },
    { kind: "sync", file: name },
    { kind: "syncFolder" },
  ]);
}
