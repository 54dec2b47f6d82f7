/** What the tests of the dashboard share: three real nodes that meet over NATS, a browser, and a page at the node that lets the token's owner write. */
import type { TestFn } from "ava";
import type { Browser } from "puppeteer-core";
import type { Client } from "../../client/connect.ts";
import type { RunningNode } from "../../server/running-node.ts";
import type { Tab } from "./browser.ts";

export type DashboardShared = {
  readonly nodes: readonly RunningNode[];
  readonly browser: Browser;
  readonly client: Client;
  readonly folder: string;
  /** At the node that lets the token's owner write, with the token given. */
  readonly tab: Tab;
};

export type DashboardTest = TestFn<DashboardShared>;

/** As a name and as a value: nothing of it may become HTML. */
export const SCRIPT_NAME = "<img src=x onerror=\"window.hacked='name'\">";
