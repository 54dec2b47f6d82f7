/** The client's suite over ZooKeeper's protocol, to Apache ZooKeeper. `npm run conformance:versions` runs it with another one than Debian's. */
import test from "ava";
import { connect } from "../../../client/connect.ts";
import { startZookeeper, type ZookeeperServer } from "../../support/zookeeper-server.ts";
import { hasFeature } from "../../support/zookeeper-under-test.ts";
import type { Need } from "./case.ts";
import { suite } from "./suite.ts";

const NEEDS: readonly Need[] = ["containers", "ttls", "whoAmI"];
const lacks = NEEDS.filter((need) => !hasFeature(need));
const target = suite({ name: "zk:// to Apache ZooKeeper", lacks });
let server: ZookeeperServer | undefined;

test.before(async () => {
  const { host, port } = (server = await startZookeeper());
  target.connect = (options) => connect(`zk://${host}:${port}`, options);
});

test.after.always("the server stops", () => server?.stop());
