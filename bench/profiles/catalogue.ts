/** All profiles by name, in the order in which `--help` shows them. */
import { budget } from "./budget/budget.ts";
import { ceiling } from "./ceiling.ts";
import { runMicro } from "../micro/run.ts";
import { checkoutStart } from "./checkout-start.ts";
import { churn } from "./churn.ts";
import { dashboard } from "./dashboard/dashboard.ts";
import { failover } from "./failover/failover.ts";
import { fanOut } from "./fan-out/fan-out.ts";
import { growth } from "./growth.ts";
import { libraries } from "./libraries/libraries.ts";
import { loadProfile } from "./load.ts";
import { memory } from "./memory.ts";
import { operator } from "./operator/operator.ts";
import type { Profile } from "./profile.ts";
import { snapshots } from "./snapshots.ts";
import { startUp } from "./start-up.ts";
import { treeApply } from "./tree-apply.ts";

export const PROFILES: Readonly<Record<string, Profile>> = {
  lone: loadProfile("lone", "1 connection x 1 outstanding: set, create, get"),
  clients: loadProfile("clients", "30 x 1 and 300 x 1: set, create, get (300 x 1 quick: set)"),
  write: loadProfile("write", "set, 30 x 64 and 30 x 128 (quick: 30 x 64)"),
  create: loadProfile("create", "create, 30 x 64"),
  read: loadProfile("read", "get, 30 x 64"),
  mixed: loadProfile("mixed", "gets and sets 90/10 and 50/50, 30 x 64"),
  multi: loadProfile("multi", "transactions of 4 sets, 30 x 1 and 30 x 16"),
  values: loadProfile("values", "set and get of 1 KB and 100 KB"),
  connections: loadProfile("connections", "set and get over 1 to 5,000 connections"),
  "open-loop": loadProfile("open-loop", "set at fixed rates; latency from when each was due"),
  churn: {
    summary: "sessions that come, create a sequential ephemeral znode, and go",
    needs: "targets",
    run: churn,
  },
  "fan-out": {
    summary: "changes to 1, 100 and 1,000 subscribers: one-shot, persistent, native streams",
    needs: "targets",
    run: fanOut,
  },
  libraries: {
    summary: "client libraries of Node side by side: set, get, lock; 1, 30 and 1,920 under way",
    needs: "targets",
    run: libraries,
  },
  keeper: loadProfile("keeper", "the ten workloads that ClickHouse publishes for Keeper"),
  custom: loadProfile("custom", "--works over --connections x --outstanding"),
  budget: {
    summary: "what one write costs each node: wake-ups, system calls, messages, steps, µs",
    needs: "own",
    run: budget,
  },
  failover: {
    summary: "kill -9 of the leader, with a writer on each server",
    needs: "own",
    run: failover,
  },
  memory: {
    summary: "resident memory for each of a million znodes",
    needs: "own",
    run: memory,
  },
  "start-up": {
    summary: "from the start of three servers until they serve",
    needs: "own",
    run: startUp,
  },
  "checkout-start": {
    summary: "a start from a checkout: until it serves, and what it costs; for --against COMMIT",
    needs: "own",
    run: checkoutStart,
  },
  growth: {
    summary: "zooid with 3, 5, 7 nodes; with 1, 2, 4 lanes; with 10 thousand to 10 million znodes",
    needs: "own",
    run: growth,
  },
  snapshots: {
    summary: "a large tree: restart, and writes while its snapshot is cut",
    needs: "own",
    run: snapshots,
  },
  operator: {
    summary: "what status, top, /metrics, listings and backups cost clients of a large tree",
    needs: "own",
    run: operator,
  },
  dashboard: {
    summary:
      "each page of the dashboard in Chromium: 1,000,000 znodes, and 1,000,000 of one parent",
    needs: "own",
    run: dashboard,
  },
  "tree-apply": {
    summary: "the tree lanes alone: no disk, no network; how they scale",
    needs: "own",
    run: treeApply,
  },
  micro: { summary: "one hot function each", needs: "own", run: runMicro },
  ceiling: {
    summary: "the load generator alone, against a server that does nothing",
    needs: "own",
    run: ceiling,
  },
};

/** What runs if no profile is named. */
export const DEFAULT_PROFILES: readonly string[] = ["lone", "clients", "write", "create", "read"];
