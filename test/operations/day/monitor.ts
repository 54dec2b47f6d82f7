/** Debian's Prometheus in the office, with the rules of ops/prometheus: what it says of the three nodes. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CHECKOUT } from "../../support/zooid-command.ts";
import { GET_PROGRAM } from "./programs.ts";
import type { Child } from "../../support/child.ts";
import type { Site } from "./site.ts";

const URL = "http://127.0.0.1:9090/api/v1";
const RULES = join(CHECKOUT, "ops/prometheus/zooid.rules.yml");
const LOOK_EVERY_MS = 500;
const LOOKS_MAX = 120;

type Rule = { readonly name: string; readonly health: string; readonly state: string };

export class Monitor {
  readonly #site: Site;
  readonly #prometheus: Child;

  static async start(site: Site, folder: string): Promise<Monitor> {
    const targets = site.machines.map(({ host }) => `"${host.address}:8080"`).join(", ");
    const tokenFile = join(folder, "prometheus.token");
    await writeFile(tokenFile, site.token, { mode: 0o600 });
    const config = [
      "global: {scrape_interval: 1s, evaluation_interval: 1s}",
      `rule_files: ["${RULES}"]`,
      "scrape_configs:",
      "  - job_name: zooid",
      `    authorization: {credentials_file: ${tokenFile}}`,
      `    static_configs: [{targets: [${targets}]}]`,
      "",
    ];
    const file = join(folder, "prometheus.yml");
    await writeFile(file, config.join("\n"));
    const storage = `--storage.tsdb.path=${join(folder, "tsdb")}`;
    const listen = "--web.listen-address=127.0.0.1:9090";
    const command = ["prometheus", `--config.file=${file}`, storage, listen];
    const prometheus = site.run(site.office, command, folder);
    await prometheus.line(/Server is ready to receive web requests/);
    return new Monitor(site, prometheus);
  }

  private constructor(site: Site, prometheus: Child) {
    this.#site = site;
    this.#prometheus = prometheus;
  }

  /** The values of a query, one for each node; empty while nobody answers. */
  async #query(query: string): Promise<readonly number[]> {
    const data = await this.#get(`query?query=${encodeURIComponent(query)}`);
    const { result = [] } = (data ?? {}) as { result?: { value: [number, string] }[] };
    return result.map(({ value }) => Number(value[1]));
  }

  async rules(): Promise<readonly Rule[]> {
    const data = (await this.#get("rules")) as { groups: { rules: Rule[] }[] } | undefined;
    return data?.groups.flatMap(({ rules }) => rules) ?? [];
  }

  /** Whether it comes to say so, within a minute. */
  says(query: string, isSo: (values: readonly number[]) => boolean): Promise<boolean> {
    return this.#comes(async () => isSo(await this.#query(query)));
  }

  /** Whether its rules come to be so, within a minute. */
  hasRules(areSo: (rules: readonly Rule[]) => boolean): Promise<boolean> {
    return this.#comes(async () => areSo(await this.rules()));
  }

  async #comes(isSo: () => Promise<boolean>): Promise<boolean> {
    for (let look = 1; look <= LOOKS_MAX; look += 1) {
      if (await isSo()) return true;
      await wait(LOOK_EVERY_MS);
    }
    return false;
  }

  async #get(what: string): Promise<unknown> {
    const child = await this.#site.program("get.mjs", GET_PROGRAM, `${URL}/${what}`);
    await child.exited;
    if (this.#prometheus.ended) {
      throw new Error(`Prometheus has ended\n${this.#prometheus.output()}`);
    }
    if (child.process.exitCode !== 0) return undefined;
    const { status, data } = JSON.parse(child.output()) as { status: string; data: unknown };
    return status === "success" ? data : undefined;
  }
}
