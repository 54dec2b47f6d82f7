/** Quotas and reserved paths, compared with Apache ZooKeeper: hard limits are only told. */
import { compare, startAlone } from "../support/pair.ts";
import { loneScenarios, quotaScenarios } from "./scenarios/quotas.ts";

compare(startAlone, quotaScenarios, loneScenarios);
