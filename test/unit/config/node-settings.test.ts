/** Settings as an object of a program: they are checked as those of flags and files are. */
import { resolve } from "node:path";
import test from "ava";
import type { NodeConfig } from "../../../server/config/node-config.ts";
import { configOfSettings, type NodeSettings } from "../../../server/config/node-settings.ts";
import { validate } from "../../../server/config/validate.ts";

function configOf(settings: NodeSettings): NodeConfig {
  const validation = configOfSettings(settings);
  if (validation.kind === "invalid") throw new Error(JSON.stringify(validation.problems));
  return validation.config;
}

const refusedFields = (settings: object): readonly string[] => {
  const validation = configOfSettings(settings as NodeSettings);
  return validation.kind === "valid" ? [] : validation.problems.map(({ field }) => field);
};

test("without settings the configuration is the one of the command line without flags", (t) => {
  t.deepEqual(validate(new Map(), { transport: "nats" }), configOfSettings({}));
});

test("numbers, texts and lists are taken as a program writes them", (t) => {
  const config = configOf({
    id: 2,
    members: [1, 2, 3],
    natsUrls: ["nats://a:4222", "nats://b:4222"],
    dataDir: "some/where",
    clientPort: 0,
    fourLetterWords: ["ruok", "mntr"],
    peerKeyFile: undefined,
  });
  t.like(config, { id: 2, clientPort: 0, dataDir: resolve("some/where"), peerKeyFile: undefined });
  t.deepEqual(config.members.map(Number), [1, 2, 3]);
  t.deepEqual([...config.natsUrls], ["nats://a:4222", "nats://b:4222"]);
  t.deepEqual([...config.fourLetterWords], ["ruok", "srvr", "mntr"]);
  t.deepEqual(configOf(config), config, "what was made of settings are settings");
});

test("all that is wrong is reported at once, fields that are none and values of other kinds too", (t) => {
  const settings = { clientport: 1, clientPort: 99_999, lanes: 0.5, dataDir: null, tickTimeMs: {} };
  t.deepEqual(refusedFields(settings), [
    "clientport",
    "dataDir",
    "tickTimeMs",
    "clientPort",
    "lanes",
  ]);
  const validation = configOfSettings({ clientport: 1 } as NodeSettings);
  if (validation.kind === "valid") return t.fail();
  t.is(validation.problems[0]?.hint, "is clientPort meant?");
});
