/** A node with two lanes, over which connections are spread, compared with Apache ZooKeeper. */
import { compare, startWithLanes } from "../support/pair.ts";
import { multiScenarios } from "./scenarios/multi.ts";
import { requestScenarios } from "./scenarios/requests.ts";
import { sessionScenarios } from "./scenarios/sessions.ts";
import { stayingWatchScenarios } from "./scenarios/staying-watches.ts";
import { watchScenarios } from "./scenarios/watches.ts";

compare(
  startWithLanes(2),
  multiScenarios,
  requestScenarios,
  sessionScenarios,
  watchScenarios,
  stayingWatchScenarios,
);
