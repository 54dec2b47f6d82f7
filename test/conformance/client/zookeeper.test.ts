/** The client's suite over ZooKeeper's protocol, to Apache ZooKeeper. */
import test from "ava";
import { connect } from "../../../client/connect.ts";
import { startZookeeper, type ZookeeperServer } from "../../support/zookeeper-server.ts";
import { suite } from "./suite.ts";

const target = suite({ name: "zk:// to Apache ZooKeeper", lacks: [] });
let server: ZookeeperServer | undefined;

test.before(async () => {
  const { host, port } = (server = await startZookeeper());
  target.connect = (options) => connect(`zk://${host}:${port}`, options);
});

test.after.always("the server stops", () => server?.stop());
