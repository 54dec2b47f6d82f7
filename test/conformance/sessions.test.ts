/** Sessions and one-shot watches, compared with Apache ZooKeeper. */
import { compare, startAlone } from "../support/pair.ts";
import { sessionScenarios } from "./scenarios/sessions.ts";
import { setWatchesScenarios } from "./scenarios/set-watches.ts";
import { watchScenarios } from "./scenarios/watches.ts";

compare(startAlone, sessionScenarios, watchScenarios, setWatchesScenarios);
