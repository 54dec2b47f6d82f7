/** The client's suite over ZooKeeper's protocol, to a node of zooid. */
import test from "ava";
import { connect } from "../../../client/connect.ts";
import { startZooid, type ZooidNode } from "../../support/zooid.ts";
import { suite } from "./suite.ts";

const target = suite({ name: "zk:// to zooid", lacks: [] });
let node: ZooidNode | undefined;

test.before(async () => {
  const { host, port } = (node = await startZooid());
  target.connect = (options) => connect(`zk://${host}:${port}`, options);
});

test.after.always("the node stops", () => node?.stop());
