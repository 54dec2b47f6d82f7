/** Sessions and watches, compared with Apache ZooKeeper. */
import { compare, startAlone } from "../support/pair.ts";
import { sessionScenarios } from "./scenarios/sessions.ts";
import { setWatchesScenarios } from "./scenarios/set-watches.ts";
import { stayingWatchScenarios } from "./scenarios/staying-watches.ts";
import { watchScenarios } from "./scenarios/watches.ts";

compare(startAlone, sessionScenarios, watchScenarios, stayingWatchScenarios, setWatchesScenarios);
