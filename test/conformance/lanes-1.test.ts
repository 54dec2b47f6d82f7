/** A node whose log and only lane have threads of their own, compared with Apache ZooKeeper. */
import { compare, startWithLanes } from "../support/pair.ts";
import { multiScenarios } from "./scenarios/multi.ts";
import { requestScenarios } from "./scenarios/requests.ts";
import { sessionScenarios } from "./scenarios/sessions.ts";
import { watchScenarios } from "./scenarios/watches.ts";

compare(startWithLanes(1), multiScenarios, requestScenarios, sessionScenarios, watchScenarios);
