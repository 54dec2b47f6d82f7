/** Containers, times to live, and reads of more than one node, compared with Apache ZooKeeper. */
import { compare, startAlone } from "../support/pair.ts";
import { lifetimeScenarios } from "./scenarios/lifetimes.ts";
import { wideReadScenarios } from "./scenarios/wide-reads.ts";

compare(startAlone, lifetimeScenarios, wideReadScenarios);
