/** What a `server.N` line says of a member. Expected texts were asked of ZooKeeper 3.8. */
import test from "ava";
import { serverAddress } from "../../../server/config/server-addresses.ts";
import { validate } from "../../../server/config/validate.ts";
import { readZooCfg } from "../../../server/config/zoo-cfg.ts";

const ADDRESSES: readonly (readonly [string, string | undefined])[] = [
  ["db1:2888:3888", "db1:2888:3888:participant"],
  [" db1:2888:3888:participant;2181 ", "db1:2888:3888:participant;0.0.0.0:2181"],
  ["10.0.0.1:2888:3888;10.0.0.2:2181", "10.0.0.1:2888:3888:participant;10.0.0.2:2181"],
  ["[::1]:2888:3888;[::]:2181", "[0:0:0:0:0:0:0:1]:2888:3888:participant;[0:0:0:0:0:0:0:0]:2181"],
  ["[2001:db8::0a:1]:1:2", "[2001:db8:0:0:0:0:a:1]:1:2:participant"],
  ["b:2:3|a:4:5;1", "a:4:5|b:2:3:participant;0.0.0.0:1"],
  ["db1", undefined],
  ["db1:2888", undefined],
  ["db1:2888:3888:observer", undefined],
  ["db1:2888:99999", undefined],
  ["db1:2888:2888", undefined],
  ["db1:2888:3888;", undefined],
  ["db1:2888:3888;2181;2181", undefined],
  ["db 1:2888:3888", undefined],
  ["[::x]:2888:3888", undefined],
  ["::1:2888:3888", undefined],
];

for (const [text, expected] of ADDRESSES) {
  test(`"${text}" is ${expected === undefined ? "no address" : "an address"}`, (t) => {
    t.is(serverAddress(text), expected);
  });
}

function serversOf(lines: readonly string[], flags: Readonly<Record<string, string>> = {}) {
  const cfg = readZooCfg(lines.join("\n"), "zoo.cfg");
  const given = Object.entries(flags).map(
    ([key, value]) => [key, { value, source: "flag" }] as const,
  );
  const settings = new Map([...cfg.settings, ...given] as never);
  return { cfg, validation: validate(settings as never, { transport: "memory" }) };
}

test("the server lines of a file are shown as ZooKeeper shows them, by their numbers", (t) => {
  const { cfg, validation } = serversOf(["server.10=c:1:2", "server.2=a:1:2;3"], { id: "2" });
  t.deepEqual(cfg.warnings, []);
  t.like(validation, {
    config: { servers: ["server.2=a:1:2:participant;0.0.0.0:3", "server.10=c:1:2:participant"] },
  });
});

test("a server line of another form leaves nothing to show, with a warning", (t) => {
  const { cfg, validation } = serversOf(["server.1=a:1:2", "server.2=b"], { id: "1" });
  t.is(cfg.warnings.length, 1);
  t.regex(cfg.warnings[0] ?? "", /^zoo.cfg:2: server.2 is no host/);
  t.like(validation, { kind: "valid", config: { members: [1, 2], servers: [] } });
});

test("servers must name every member", (t) => {
  const { validation } = serversOf([], { members: "1,2", id: "1", servers: "1=a:1:2" });
  t.like(validation, { kind: "invalid", problems: [{ field: "servers" }] });
  const both = serversOf([], {
    members: "1,2",
    id: "1",
    servers: "server.2=b:1:2,1=a:1:2,3=c:1:2",
  });
  t.like(both.validation, {
    config: { servers: ["server.1=a:1:2:participant", "server.2=b:1:2:participant"] },
  });
  const twice = serversOf([], { members: "1", servers: "1=a:1:2,1=b:1:2" });
  t.like(twice.validation, { kind: "invalid", problems: [{ field: "servers" }] });
});
