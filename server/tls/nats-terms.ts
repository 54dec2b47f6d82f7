/**
 * What a node shows NATS servers and asks of them by TLS: the files that its settings name, checked, and read again when it connects and they have
 * changed.
 */
import type { X509Certificate } from "node:crypto";
import { statSync } from "node:fs";
import type { EventDetail, LogLevel } from "../../runtime/effects.ts";
import type { EventName } from "../../protocol/events.ts";
import { NatsError } from "../../runtime/nats/nats-error.ts";
import type { NatsLog } from "../../runtime/nats/link.ts";
import type { NatsTlsMaterial } from "../../runtime/nats/servers.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { readStore } from "./key-store.ts";
import { outOfDate } from "./load-terms.ts";
import type { StoreContent } from "./pkcs12.ts";
import { type Loading, type LoadingProblem, problemsLine, stampOf, watchFiles } from "./reload.ts";

export type NatsTlsConfig = Pick<
  NodeConfig,
  "natsTlsCaFile" | "natsTlsCertFile" | "natsTlsKeyFile"
>;

type Log = (level: LogLevel, event: EventName, detail: EventDetail) => void;

/** None where the settings ask for no TLS, which a URL with `tls://` may do as well. */
export function natsTlsFiles(config: NatsTlsConfig): readonly string[] {
  const { natsTlsCaFile, natsTlsCertFile, natsTlsKeyFile } = config;
  return [natsTlsCaFile, natsTlsCertFile, natsTlsKeyFile].filter((file) => file !== undefined);
}

/** The key in `natsTlsKeyFile` may not be encrypted: nothing says its password. */
export function loadNatsTls(
  config: NatsTlsConfig,
  wallMs: number,
): Loading<NatsTlsMaterial, keyof NatsTlsConfig> {
  const problems: LoadingProblem<keyof NatsTlsConfig>[] = [];
  const read = (field: keyof NatsTlsConfig): StoreContent | undefined => {
    const file = config[field];
    if (file === undefined) return undefined;
    const reading = readStore({ file, password: "", type: "PEM" });
    if (reading.kind === "read") return reading.value;
    const { about, rule, hint } = reading;
    if (about === "password")
      problems.push({ field, rule: "must hold a key that is not encrypted", hint });
    else problems.push({ field, rule, hint });
    return undefined;
  };
  const authorities = read("natsTlsCaFile")?.certificates;
  const own = read("natsTlsCertFile")?.certificates;
  const key = read("natsTlsKeyFile")?.key;
  if (problems.length === 0) checkContent({ authorities, own, key, config, problems });
  if (problems.length > 0) return { kind: "failed", problems };
  const warnings = [...(own ?? []), ...(authorities ?? [])].flatMap((each) =>
    outOfDate(each, wallMs),
  );
  const material = {
    ca: textOf(authorities),
    cert: textOf(own),
    key: key === undefined ? undefined : String(key.export({ type: "pkcs8", format: "pem" })),
  };
  return { kind: "loaded", terms: material, warnings };
}

function checkContent(of: {
  readonly authorities: readonly X509Certificate[] | undefined;
  readonly own: readonly X509Certificate[] | undefined;
  readonly key: StoreContent["key"];
  readonly config: NatsTlsConfig;
  readonly problems: LoadingProblem<keyof NatsTlsConfig>[];
}): void {
  const { authorities, own, key, config, problems } = of;
  const refuse = (field: keyof NatsTlsConfig, rule: string, hint: string): void => {
    problems.push({ field, rule, hint });
  };
  if (authorities?.length === 0) {
    refuse("natsTlsCaFile", "must hold a certificate", "put the authorities into it");
  }
  if (own?.length === 0) {
    refuse(
      "natsTlsCertFile",
      "must hold a certificate",
      "the node's own, then those of its issuers",
    );
  }
  if (config.natsTlsKeyFile !== undefined && key === undefined) {
    refuse("natsTlsKeyFile", "must hold a private key", "that of the node's certificate");
  }
  const [first] = own ?? [];
  if (first !== undefined && key !== undefined && !first.checkPrivateKey(key)) {
    const hint = "a renewal may have written only one of the two so far";
    refuse("natsTlsKeyFile", "must be the key of the first certificate in natsTlsCertFile", hint);
  }
}

function textOf(certificates: readonly X509Certificate[] | undefined): string | undefined {
  return certificates?.map(String).join("");
}

const KEPT = "NATS servers are shown the ones before";

/**
 * Says when the files have changed, and whether they will do, since they are not looked at otherwise before the next connection. The returned function
 * ends it.
 */
export function reportNatsFiles(
  config: NatsTlsConfig & Pick<NodeConfig, "tlsReload">,
  log: Log,
): () => void {
  const files = natsTlsFiles(config);
  if (files.length === 0 || !config.tlsReload) return () => undefined;
  const load = (): Loading<NatsTlsMaterial> => loadNatsTls(config, Date.now());
  return watchFiles({ files, load, onRenewed: () => undefined, of: "nats", kept: KEPT, log });
}

/**
 * A log for the watch of the files and for who connects with them: what is wrong with them is said by the first who finds it, until the watch has
 * found them good again. Without a watch all is said.
 */
export function refusedOnce({ tlsReload }: Pick<NodeConfig, "tlsReload">, log: NatsLog): NatsLog {
  if (!tlsReload) return log;
  let said: EventDetail[string] | undefined;
  return (level, event, detail) => {
    const { problems } = detail;
    if (event === "certificatesRefused" && problems === said) return;
    if (event === "certificatesRefused") said = problems;
    else if (event === "certificatesRenewed") said = undefined;
    log(level, event, detail);
  };
}

/**
 * What is shown at the next connection: the files as they are then. If they cannot be used, what was used before is, so that a renewal that went wrong
 * does not keep a node away from NATS for as long as its former certificate is good.
 */
export class NatsTls {
  readonly #config: NatsTlsConfig;
  readonly #log: Log;
  #usable: NatsTlsMaterial;
  /** The files when what is used was read. */
  #stamps: string;
  /** What was wrong with the files when they were last read, which is said once. */
  #problem: string | undefined;
  #isFresh = false;

  /** Throws a `NatsError` when the files cannot be used: there is nothing yet that would do in their place. */
  constructor(config: NatsTlsConfig, log: Log) {
    this.#config = config;
    this.#log = log;
    this.#stamps = stampsNow(config);
    const loading = loadNatsTls(config, Date.now());
    if (loading.kind === "failed") {
      const problems = problemsLine(loading.problems);
      throw new NatsError("ZOOID_NATS_OPTIONS", `the files of TLS for NATS: ${problems}`);
    }
    this.#usable = loading.terms;
  }

  /** Whoever asks for one of them after the other, without a pause, is given what belongs together. */
  get material(): NatsTlsMaterial {
    if (this.#isFresh) return this.#usable;
    this.#isFresh = true;
    queueMicrotask(() => {
      this.#isFresh = false;
    });
    const stamps = stampsNow(this.#config);
    if (stamps === this.#stamps) this.#problem = undefined;
    else this.#read(stamps);
    return this.#usable;
  }

  #read(stamps: string): void {
    const loading = loadNatsTls(this.#config, Date.now());
    if (loading.kind === "loaded") {
      this.#usable = loading.terms;
      this.#stamps = stamps;
      this.#problem = undefined;
      return;
    }
    const problems = problemsLine(loading.problems);
    if (problems === this.#problem) return;
    this.#problem = problems;
    this.#log("error", "certificatesRefused", { of: "nats", problems, kept: KEPT });
  }
}

function stampsNow(config: NatsTlsConfig): string {
  return natsTlsFiles(config).map(stampNow).join(", ");
}

function stampNow(file: string): string {
  try {
    return stampOf(statSync(file));
  } catch {
    return stampOf(undefined);
  }
}
