/** The operations on znodes, compared with Apache ZooKeeper. */
import { compare, startAlone } from "../support/pair.ts";
import { createScenarios } from "./scenarios/create.ts";
import { multiScenarios } from "./scenarios/multi.ts";
import { pathScenarios } from "./scenarios/paths.ts";
import { requestScenarios } from "./scenarios/requests.ts";
import { statScenarios } from "./scenarios/stats.ts";

compare(
  startAlone,
  createScenarios,
  pathScenarios,
  statScenarios,
  multiScenarios,
  requestScenarios,
);
