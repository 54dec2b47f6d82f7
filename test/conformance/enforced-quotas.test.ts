/** Quotas and reserved paths, compared with Apache ZooKeeper: hard limits are enforced. */
import { compareWith } from "../support/pair.ts";
import { startZooid } from "../support/zooid.ts";
import { startZookeeper } from "../support/zookeeper-server.ts";
import { quotaScenarios } from "./scenarios/quotas.ts";

const lines = ["enforceQuota=true"];

compareWith(
  { candidate: () => startZooid({ lines }), reference: () => startZookeeper({ lines }) },
  quotaScenarios,
);
