/**
 * Formats the events of the inspection stream as log lines, for people, `2026-01-01T00:00:00.000Z info  node=1 log-sync leading epoch=1`,
 * or for programs, a JSON object on each line.
 */
import { ALWAYS_LOGGED } from "../protocol/events.ts";
import type { ServerId } from "../protocol/ids.ts";
import type { EventDetail, LogLevel } from "../runtime/effects.ts";
import type { InspectionEvent } from "../runtime/inspection.ts";

export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const LEVEL_WIDTH = 5;

export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export type LogEntry = {
  readonly atMs: number;
  readonly node: ServerId;
  readonly level: LogLevel;
  readonly actor: string;
  readonly event: string;
  readonly detail: EventDetail;
};

function entryOf(event: InspectionEvent): LogEntry {
  const { atMs, node } = event;
  switch (event.kind) {
    case "log":
      return event;
    case "failed": {
      const { actor, message, error, supervision } = event;
      return {
        atMs,
        node,
        level: "error",
        actor,
        event: "failed",
        detail: { message, error, supervision },
      };
    }
    case "undelivered": {
      const { to, message, reason } = event;
      return {
        atMs,
        node,
        level: "warn",
        actor: to,
        event: "undelivered",
        detail: { message, reason },
      };
    }
    case "stopNode": {
      const { actor, reason } = event;
      return { atMs, node, level: "error", actor, event: "stopNode", detail: { reason } };
    }
  }
}

/** Returns the value, in quotes if it would not read as one word, so that programs can split a line again. */
function shown(value: string | number | boolean): string {
  const text = String(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

export function logLine(entry: LogEntry): string {
  const details = Object.entries(entry.detail).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${shown(value)}`],
  );
  const time = new Date(entry.atMs).toISOString();
  const level = entry.level.padEnd(LEVEL_WIDTH);
  return [`${time} ${level} node=${entry.node} ${entry.actor} ${entry.event}`, ...details].join(
    " ",
  );
}

/** The details are an object of their own, so that none is taken for what every line has. */
export function jsonLine({ atMs, node, level, actor, event, detail }: LogEntry): string {
  const time = new Date(atMs).toISOString();
  return JSON.stringify({ time, level, node, actor, event, detail });
}

/** The log of a node, whose level may change while it runs. */
export class NodeLog {
  readonly format: LogFormat;
  readonly #write: (line: string) => void;
  #level: LogLevel;

  constructor(of: {
    readonly level: LogLevel;
    readonly format: LogFormat;
    readonly write: (line: string) => void;
  }) {
    this.format = of.format;
    this.#level = of.level;
    this.#write = of.write;
  }

  /** The lowest level that is logged. */
  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    this.#level = level;
  }

  event(event: InspectionEvent): void {
    this.entry(entryOf(event));
  }

  entry(entry: LogEntry): void {
    if (!isLogged(entry, this.#level)) return;
    this.#write(this.format === "json" ? jsonLine(entry) : logLine(entry));
  }
}

function isLogged({ level, event }: LogEntry, lowest: LogLevel): boolean {
  return ALWAYS_LOGGED.has(event) || LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(lowest);
}

export function isLogFormat(text: string): text is LogFormat {
  return LOG_FORMATS.some((format) => format === text);
}

export function isLogLevel(text: string): text is LogLevel {
  return LOG_LEVELS.some((level) => level === text);
}
