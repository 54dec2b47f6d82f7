/** How the ensemble's configuration is stored in the folder's own file, when it is known or has changed. */
import type { Configuration } from "../../protocol/configuration.ts";
import { EPOCH_NONE } from "../../protocol/zxid.ts";
import { encodeOwner, OWNER_FILE } from "./format/files.ts";
import {
  type Procedure,
  removeIfThere,
  replaceFile,
  TEMPORARY_SUFFIX,
} from "./format/procedure.ts";
import { performWithReserve, stallChange } from "./disk-space.ts";
import { type LogState, report, log } from "./state.ts";
import { storeVoteLoss } from "./recovery/vote-loss.ts";

/** Stores the configuration at the head of the changes. If there is no space for it, it stays there and is tried again. */
export function* storeConfiguration(
  state: LogState,
  { configuration, guest }: { readonly configuration: Configuration; readonly guest: boolean },
): Procedure {
  const { settings, voteLoss } = state;
  const own = { ...state.own, configuration };
  const bytes = encodeOwner(settings, own, settings.crc32);
  if (!(yield* performWithReserve(state, replaceFile(OWNER_FILE, bytes)))) {
    yield* removeIfThere(`${OWNER_FILE}${TEMPORARY_SUFFIX}`);
    stallChange(state);
    return;
  }
  state.own = own;
  // The marker is written last: a crash between the two leaves the marker of an empty folder, whose repair asks for more.
  if (guest && voteLoss?.reason === "new") {
    yield* storeVoteLoss(state, { reason: "guest", epoch: EPOCH_NONE });
  }
  state.changes.shift();
  const { ensembleId, version } = configuration;
  log(state, "configurationStored", { ensembleId, version, guest: guest ? "yes" : "no" });
  report(state, { kind: "configurationStored", configuration });
}
