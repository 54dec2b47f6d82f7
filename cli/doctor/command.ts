/** `zooid doctor`: says what of this machine and of a configuration is not good enough for a node, and what to change. */
import { containerConfig } from "../../server/config/container-variables.ts";
import { KEYS } from "../../server/config/keys.ts";
import { type Loaded, loadConfig } from "../../server/config/load.ts";
import type { NodeConfig } from "../../server/config/node-config.ts";
import type { Command } from "../command.ts";
import { checkFolder } from "./disk.ts";
import { type Finding, lineOf, severityOf, STATUSES } from "./finding.ts";
import { checkClock, checkMachine, thisHost } from "./machine.ts";
import { checkNats, checkPorts } from "./network.ts";

const CONFIG = "config";
const CONTAINER_FLAG = "container-variables";

function configFindings(loaded: Loaded): readonly Finding[] {
  const limit = "nothing is wrong";
  const findings: Finding[] = loaded.warnings.map((measured) => {
    return { check: CONFIG, status: "warn", measured, limit, advice: "correct it" };
  });
  if (loaded.kind === "valid") {
    if (findings.length === 0) {
      findings.push({ check: CONFIG, status: "ok", measured: "valid", limit });
    }
    return findings;
  }
  for (const { field, value, source, rule, hint } of loaded.problems) {
    const where = source === undefined ? "" : ` (${source})`;
    const given = value === undefined ? `${field} is missing` : `${field} is wrong${where}`;
    findings.push({ check: CONFIG, status: "bad", measured: given, limit: rule, advice: hint });
  }
  return findings;
}

async function nodeFindings(config: NodeConfig): Promise<readonly Finding[]> {
  const { dataDir, dataLogDir } = config;
  const folders = [...checkFolder("dataDir", dataDir)];
  if (dataLogDir !== undefined) folders.push(...checkFolder("dataLogDir", dataLogDir));
  return [...folders, ...(await checkPorts(config)), ...(await checkNats(config))];
}

async function run(
  flags: ReadonlyMap<string, string>,
  operands: ReadonlyMap<string, string>,
): Promise<number> {
  const operand = operands.get(CONFIG) ?? "";
  const file = operand === "" ? flags.get(CONFIG) : operand;
  const container = flags.has(CONTAINER_FLAG) ? containerConfig(process.env) : undefined;
  const loaded = loadConfig({ transport: "nats", flags, file, container });
  const config = loaded.kind === "valid" ? loaded.config : undefined;
  const findings = [
    ...configFindings(loaded),
    ...checkMachine(thisHost(), config),
    await checkClock(),
    ...(config === undefined ? [] : await nodeFindings(config)),
  ];
  const severity = severityOf(findings);
  if (flags.has("json")) {
    console.log(JSON.stringify({ status: STATUSES[severity], findings }));
  } else {
    for (const finding of findings) for (const line of lineOf(finding)) console.log(line);
  }
  return severity;
}

export const doctor: Command = {
  description: `Checks this machine, and the folders, ports and NATS servers of a configuration, by real writes and messages. It changes
nothing and may run beside the node, as the user that the node runs as.

  zooid doctor /etc/zooid/zoo.cfg
  zooid doctor --data-dir /var/lib/zooid --nats nats://10.0.0.1:4222 --json

Each line is ok, warn or bad, with what was measured, what it should be, and what to change.
The exit code is 0 when all is ok, 1 when something is a warning, 2 when something is bad.`,
  operands: [{ name: CONFIG, summary: "a zoo.cfg; flags win over it", byDefault: "" }],
  flags: [
    { name: CONFIG, placeholder: "FILE", summary: "the same" },
    {
      name: CONTAINER_FLAG,
      placeholder: undefined,
      summary: "settings from ZOO_MY_ID, ZOO_SERVERS, …",
    },
    { name: "json", placeholder: undefined, summary: "one JSON object, for programs" },
    ...KEYS.map(({ flag, placeholder, summary }) => ({ name: flag, placeholder, summary })),
  ],
  run,
};
