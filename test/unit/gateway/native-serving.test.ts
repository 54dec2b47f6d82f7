/** From when on a node is heard by native clients. */
import test from "ava";
import { NativeGatewayHarness } from "../../support/native-gateway.ts";

test("clients are to be heard from when the node first serves, which is told once", (t) => {
  const harness = new NativeGatewayHarness({ serves: false });
  const told = (): number => {
    return harness.effects.filter((effect) => effect.kind === "emit").length;
  };
  harness.lead(false);
  t.is(told(), 0);
  harness.lead(true);
  t.is(told(), 1);
  harness.lead(false);
  harness.lead(true);
  t.is(told(), 1);
});
