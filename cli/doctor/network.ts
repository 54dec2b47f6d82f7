/** The NATS servers of a node, and its own ports. */
import { createServer } from "node:net";
import type { NodeConfig } from "../../server/config/node-config.ts";
import { natsOptions } from "../../server/nats-options.ts";
import { openLink } from "../../runtime/nats/link.ts";
import { lockHolder } from "../../runtime/disks/folder-lock.ts";
import { withoutCredentials } from "../../runtime/nats/servers.ts";
import { messageOf } from "../command.ts";
import { byLimits, type Finding, percentile, timesText } from "./finding.ts";
import { sizeText } from "../inspect/text.ts";

const ROUND_TRIPS = 100;
const CONNECT_MS_MAX = 3_000;
/** A write of a follower's client makes two round trips of messages, each by way of a NATS server. */
const ROUND_TRIP_LIMITS = { warnAt: 10, badAt: 100 };
/** NATS' own default. zooid sends what is larger in pieces. */
const PAYLOAD_BYTES_MIN: number = 2 ** 20;

/** Each server is asked by itself: the others of a list would hide the one that is away. */
export async function checkNats(config: NodeConfig): Promise<readonly Finding[]> {
  const findings = await Promise.all(config.natsUrls.map((url) => checkServer(config, url)));
  return findings.flat();
}

async function checkServer(config: NodeConfig, url: string): Promise<readonly Finding[]> {
  const check = `nats ${withoutCredentials(url)}`;
  const limit = `round trip p99 below ${ROUND_TRIP_LIMITS.warnAt} ms`;
  try {
    const options = { ...natsOptions(config), servers: [url], timeoutMs: CONNECT_MS_MAX };
    const link = await openLink({ ...options, name: "zooid doctor" });
    try {
      const timesMs: number[] = [];
      for (let trip = 0; trip < ROUND_TRIPS; trip += 1) {
        const startedMs = performance.now();
        await link.subscribed();
        timesMs.push(performance.now() - startedMs);
      }
      const status = byLimits(percentile(timesMs, 99), ROUND_TRIP_LIMITS);
      const advice =
        status === "ok"
          ? undefined
          : "every write and heartbeat goes this way: put the server nearer, or on a machine that is less busy";
      const trip = { check, status, measured: timesText(timesMs), limit, advice };
      return [trip, payloadFinding(check, link.maxPayloadBytes)];
    } finally {
      await link.close();
    }
  } catch (error) {
    const advice = "start it, or correct its URL, credentials or TLS; see several-hosts.md";
    return [{ check, status: "bad", measured: messageOf(error), limit, advice }];
  }
}

function payloadFinding(server: string, bytes: number): Finding {
  const isLow = bytes < PAYLOAD_BYTES_MIN;
  return {
    check: `${server} max_payload`,
    status: isLow ? "warn" : "ok",
    measured: sizeText(bytes),
    limit: `${sizeText(PAYLOAD_BYTES_MIN)} or more`,
    advice: isLow ? "raise max_payload in its configuration: batches go in many pieces" : undefined,
  };
}

export async function checkPorts(config: NodeConfig): Promise<readonly Finding[]> {
  const { clientPort, clientPortAddress, secureClientPort, secureClientPortAddress } = config;
  const { adminServer, adminPort, adminAddress } = config;
  const ports: readonly (readonly [string, number | undefined, string])[] = [
    ["clientPort", clientPort, clientPortAddress],
    ["secureClientPort", secureClientPort, secureClientPortAddress],
    ["adminPort", adminServer ? adminPort : undefined, adminAddress],
  ];
  const holder = lockHolder(config.dataDir);
  const findings: Finding[] = [];
  for (const [name, port, host] of ports) {
    if (port === undefined || port === 0) continue;
    const failure = await listenFailure(port, host);
    const isOurs = failure === "EADDRINUSE" && holder?.isAlive === true;
    const ours = `${port} is in use, and the node of ${config.dataDir} runs as process ${holder?.pid}`;
    findings.push({
      check: `port ${name}`,
      status: failure === undefined || isOurs ? "ok" : "bad",
      measured: failure === undefined ? `${port} is free` : isOurs ? ours : `${port}: ${failure}`,
      limit: "free, or the node's own",
      advice: failure === undefined || isOurs ? undefined : portAdvice(failure),
    });
  }
  return findings;
}

function portAdvice(failure: string): string {
  if (failure === "EADDRINUSE") return "end the program that has it, or choose another port";
  if (failure === "EACCES") return "ports below 1024 are not for everybody: choose another port";
  return "this machine has no such address: correct it";
}

/** Undefined: the port is free. */
function listenFailure(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
