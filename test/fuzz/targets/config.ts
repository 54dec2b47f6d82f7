/** A `zoo.cfg`, as the command line would read it. */
import { validate } from "../../../server/config/validate.ts";
import { readZooCfg } from "../../../server/config/zoo-cfg.ts";
import { KEYS } from "../../../server/config/keys.ts";
import { ZOOKEEPER_KEYS } from "../../../server/config/zookeeper-keys.ts";
import { must, type Target, utf8 } from "../target.ts";

const ALONE = `tickTime=2000
initLimit=10
syncLimit=5
dataDir=/var/lib/zookeeper
clientPort=2181
maxClientCnxns=60
# a comment
autopurge.snapRetainCount=3
4lw.commands.whitelist=*
`;
const MEMBER = `dataDir=/data
zooid.id=2
server.1=one:2888:3888;2181
server.2=two:2888:3888:participant;[::]:2182
server.3=three:2888:3888
zooid.nats=nats://127.0.0.1:4222,tls://host:4222
zooid.ensemble=main
minSessionTimeout=-1
`;

function configuration(input: Uint8Array): string {
  const read = readZooCfg(Buffer.from(input).toString("utf8"), "zoo.cfg");
  for (const { rule, hint } of read.problems) {
    must(rule.length > 0 && hint.length > 0, "a problem has a rule and a hint");
  }
  for (const { key, because } of read.idleKeys) {
    must(key.length > 0 && because.length > 0, "a key without effect has its reason");
  }
  const judged = validate(read.settings, { transport: "nats" });
  const problems = judged.kind === "valid" ? [] : judged.problems;
  for (const { field, rule, hint } of problems) {
    must(rule.length > 0 && hint.length > 0 && field.length > 0, "a problem says what is wrong");
  }
  const fields = new Set(problems.map(({ field }) => field));
  const refused = Math.min(read.problems.length, 3);
  return [judged.kind, Math.min(read.warnings.length, 4), refused, ...[...fields].slice(0, 2)].join(
    " ",
  );
}

const TOKENS: readonly string[] = [
  "=",
  ":",
  "\n",
  "\r\n",
  "\\",
  "\\\n",
  "\\\\",
  "\\u0041",
  "#",
  "!",
  " ",
  "\t",
  "server.",
  "server.1=",
  ";",
  ":observer",
  "2181",
  "-1",
  "0",
  "1e9",
  "99999999999",
  "true",
  "\u0000",
  "ä",
  ",",
  "nats://",
  "[::]",
];

export const CONFIG: readonly Target[] = [
  {
    name: "zoo-cfg",
    bytesMax: 256 * 1024,
    tokens: [
      ...TOKENS,
      ...KEYS.flatMap(({ fileKey }) => (fileKey === undefined ? [] : [`${fileKey}=`])),
      ...ZOOKEEPER_KEYS.map((key) => `${key}=`),
    ].map(utf8),
    seeds: () => [ALONE, MEMBER].map(utf8),
    run: configuration,
  },
];
