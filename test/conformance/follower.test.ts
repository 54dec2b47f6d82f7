/** All scenarios once more against a node that follows, in an ensemble of three. */
import { compare, startFollower } from "../support/pair.ts";
import { aclScenarios } from "./scenarios/acls.ts";
import { createScenarios } from "./scenarios/create.ts";
import { lifetimeScenarios } from "./scenarios/lifetimes.ts";
import { multiScenarios } from "./scenarios/multi.ts";
import { pathScenarios } from "./scenarios/paths.ts";
import { quotaScenarios } from "./scenarios/quotas.ts";
import { requestScenarios } from "./scenarios/requests.ts";
import { sessionScenarios } from "./scenarios/sessions.ts";
import { setWatchesScenarios } from "./scenarios/set-watches.ts";
import { statScenarios } from "./scenarios/stats.ts";
import { stayingWatchScenarios } from "./scenarios/staying-watches.ts";
import { watchScenarios } from "./scenarios/watches.ts";
import { wideReadScenarios } from "./scenarios/wide-reads.ts";

compare(
  startFollower,
  // ZooKeeper ends no session in time any more after some of what the others ask.
  sessionScenarios,
  createScenarios,
  pathScenarios,
  statScenarios,
  multiScenarios,
  requestScenarios,
  quotaScenarios,
  watchScenarios,
  stayingWatchScenarios,
  setWatchesScenarios,
  aclScenarios,
  lifetimeScenarios,
  wideReadScenarios,
);
