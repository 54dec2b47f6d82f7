/**
 * Who has changed what through the API: a line of JSON before a change is asked for and one with what came of it, in a file or in the node's log. No line
 * has a value. Without a first line there is no change: what cannot be written down is not done.
 */
import { appendFile } from "node:fs/promises";
import type { EventDetail } from "../../../runtime/effects.ts";

export type AuditEntry = {
  /** Which change: the two lines of one have the same. */
  readonly change: string;
  readonly phase: "asked" | "answered";
  /** `token`, or the name in the certificate. */
  readonly who: string;
  readonly address: string;
  readonly what: string;
  readonly path: string;
  /** Which version was expected. Undefined: any. */
  readonly version?: number | undefined;
  /** The zxid of the tree from which znodes are brought back. */
  readonly from?: string;
  /** How many were. */
  readonly made?: number;
  /** What came of it: `done`, or the code of what went wrong. */
  readonly result?: string;
  readonly zxid?: string | undefined;
};

/** Resolves when the line is written; rejects when it cannot be. */
export type Audit = (entry: AuditEntry) => Promise<void>;

const SECRET_MODE = 0o600;

/** `file`: undefined for the node's log. */
export function auditInto(
  file: string | undefined,
  log: (detail: EventDetail) => void,
  wallMs: () => number,
): Audit {
  if (file === undefined) return async (entry) => log(known(entry));
  return async (entry) => {
    const time = new Date(wallMs()).toISOString();
    const line = `${JSON.stringify({ time, ...known(entry) })}\n`;
    await appendFile(file, line, { mode: SECRET_MODE });
  };
}

function known(entry: AuditEntry): Record<string, string | number> {
  const fields = Object.entries(entry).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields) as Record<string, string | number>;
}
