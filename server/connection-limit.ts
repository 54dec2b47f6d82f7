/** How many clients may be connected: what the settings say, and fewer while other files of the process are open. */
import { ConnectionCounts, type SharedCounts } from "../runtime/connections/connection-counts.ts";
import type { ProcessReport } from "../actors/admin/messages.ts";
import type { EventDetail } from "../runtime/effects.ts";
import type { PlacedConfig } from "./threads/choice.ts";
import { connectionsLeft, connectionsMost, openFilesWarning } from "./open-files.ts";
import { processReport } from "./process-report.ts";

/** How many files a lane has open. */
const LANE_FILES = 20;

type Limits = Pick<PlacedConfig, "maxConnections" | "maxClientConnections" | "lanes">;

export class ConnectionLimit {
  readonly #config: Limits;
  readonly #warn: (detail: EventDetail) => void;
  #counts: ConnectionCounts | undefined;
  /** That the limit of open files is low was logged. */
  #warned = false;

  constructor(config: Limits, warn: (detail: EventDetail) => void) {
    this.#config = config;
    this.#warn = warn;
  }

  /** Called before the lanes are there, for which some files are kept. */
  share(): SharedCounts {
    const { maxConnections, maxClientConnections: perAddressMax, lanes } = this.#config;
    const report = processReport();
    const connectionsMax = connectionsMost(maxConnections, report);
    const shared = ConnectionCounts.share({ connectionsMax, perAddressMax });
    this.#counts = new ConnectionCounts(shared);
    if (report !== undefined) {
      this.#counts.limit(Math.min(connectionsMax, connectionsLeft(report, 0) - LANE_FILES * lanes));
    }
    return shared;
  }

  /** How many files are open beside connections changes while a node runs. */
  follow(report: ProcessReport): void {
    const counts = this.#counts;
    if (counts === undefined) return;
    const { maxConnections } = this.#config;
    const left = connectionsLeft(report, counts.total);
    counts.limit(Math.min(connectionsMost(maxConnections, report), left));
    const warning = openFilesWarning(maxConnections, report, counts.connectionsMax);
    const isNews = warning !== undefined && !this.#warned;
    this.#warned = warning !== undefined;
    if (isNews) this.#warn(warning);
  }
}
