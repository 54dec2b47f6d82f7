/**
 * Tells systemd how the node is, by the protocol of sd_notify(3): that it serves, what it does, that it lives, that it stops. Node.js has no
 * datagrams over Unix sockets, so systemd's own program `systemd-notify` sends them (docs/decisions/0058-service-manager.md).
 */
import { execFile } from "node:child_process";
import type { Subscription } from "rxjs";
import type { Leadership } from "../protocol/replication.ts";
import type { RunningNode } from "../server/running-node.ts";
import { messageOf } from "./command.ts";

type Variable = "READY" | "STATUS" | "STOPPING" | "WATCHDOG";
type Environment = Readonly<Record<string, string | undefined>>;

const PROGRAM = "systemd-notify";
const SEND_MS_MAX = 10_000;
/** A third of the time after which systemd ends the process: one message may come late, or be lost. */
const PINGS_PER_WATCHDOG = 3;
const MICROSECONDS_PER_MS = 1000;

export type ServiceManagerOptions = {
  readonly env: Environment;
  readonly pid: number;
  /** Called when systemd cannot be reached, and when it does not hear that the node lives since a thread stands still. */
  readonly say: (
    level: "warn" | "error",
    event: "serviceManagerUnreached" | "laneSilent",
    detail: Readonly<Record<string, string | number>>,
  ) => void;
};

/** Undefined: no service manager waits to be told. */
export function serviceManagerOf(options: ServiceManagerOptions): ServiceManager | undefined {
  const socket = options.env["NOTIFY_SOCKET"] ?? "";
  return socket === "" ? undefined : new ServiceManager(options);
}

export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  /** What is to be sent next. A later value of a variable replaces one that is not sent yet, so this stays small. */
  readonly #pending = new Map<Variable, string>();
  #isSending = false;
  #hasFailed = false;
  #watchdog: NodeJS.Timeout | undefined;
  #leadership: Subscription | undefined;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#tell({ STATUS: "starts" });
  }

  /** From now on systemd hears how the node is. */
  follow(node: RunningNode): void {
    this.#leadership = node.leadership$.subscribe((leadership) => {
      this.#tell({ STATUS: statusText(leadership) });
    });
    node.ready.then(
      () => this.#tell({ READY: "1" }),
      () => undefined,
    );
    const { env, pid } = this.#options;
    const watchdogMs = watchdogMsOf(env, pid);
    if (watchdogMs === undefined) return;
    const everyMs = watchdogMs / PINGS_PER_WATCHDOG;
    this.#watchdog = setInterval(() => void this.#ping(node, everyMs), everyMs);
  }

  /** Whatever the node does from now on, it stops. */
  stopping(): void {
    clearInterval(this.#watchdog);
    this.#leadership?.unsubscribe();
    this.#tell({ STOPPING: "1", STATUS: "stops" });
  }

  async #ping(node: RunningNode, withinMs: number): Promise<void> {
    if (await node.threadsAnswer(withinMs)) this.#tell({ WATCHDOG: "1" });
    else this.#options.say("error", "laneSilent", { withinMs });
  }

  #tell(variables: Readonly<Partial<Record<Variable, string>>>): void {
    for (const [name, value] of Object.entries(variables)) {
      this.#pending.set(name as Variable, value);
    }
    void this.#send();
  }

  /** One message at a time, so that they come in order. */
  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#pending.size > 0) {
      const assignments = [...this.#pending].map(([name, value]) => `${name}=${value}`);
      this.#pending.clear();
      const failure = await send(assignments);
      if (failure !== undefined && !this.#hasFailed) {
        this.#options.say("warn", "serviceManagerUnreached", { error: failure });
      }
      this.#hasFailed = failure !== undefined;
    }
    this.#isSending = false;
  }
}

/** Returns what went wrong, if anything did. */
function send(assignments: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(PROGRAM, assignments, { timeout: SEND_MS_MAX }, (error) => {
      resolve(error === null ? undefined : messageOf(error));
    });
  });
}

function statusText({ role, epoch, leader }: Leadership): string {
  if (role === "leading") return `leads in epoch ${epoch}`;
  if (role === "following") return `follows node ${leader} in epoch ${epoch}`;
  return "looks for a leader";
}

/** After how many milliseconds of silence systemd ends this process; undefined if it does not, or means another process. */
export function watchdogMsOf(env: Environment, pid: number): number | undefined {
  const micros = Number(env["WATCHDOG_USEC"]);
  const meant = env["WATCHDOG_PID"];
  if (!Number.isSafeInteger(micros) || micros <= 0) return undefined;
  if (meant !== undefined && meant !== String(pid)) return undefined;
  return micros / MICROSECONDS_PER_MS;
}
