/** How a promise of this node is made durable, before log-sync answers anybody with it. */
import { assert } from "../../protocol/assert.ts";
import type { EpochPromise } from "../../protocol/replication.ts";
import { encodePromise, PROMISE_FILE } from "./format/files.ts";
import {
  type Procedure,
  replaceFile,
  removeIfThere,
  TEMPORARY_SUFFIX,
} from "./format/procedure.ts";
import { performWithReserve, stallChange } from "./disk-space.ts";
import { type LogState, report } from "./state.ts";

/** Stores the promise at the head of the changes. If there is no space for it, it stays there and is tried again. */
export function* storePromise(state: LogState, promise: EpochPromise): Procedure {
  const { epoch, candidate } = state.promise;
  assert(promise.epoch >= epoch, "a promise never goes back");
  if (promise.epoch !== epoch || promise.candidate !== candidate) {
    assert(promise.epoch > epoch, "one candidate in each epoch");
    const bytes = encodePromise(promise, state.settings.crc32);
    if (!(yield* performWithReserve(state, replaceFile(PROMISE_FILE, bytes)))) {
      yield* removeIfThere(`${PROMISE_FILE}${TEMPORARY_SUFFIX}`);
      stallChange(state);
      return;
    }
    state.promise = promise;
  }
  state.changes.shift();
  report(state, { kind: "promised", promise });
}
