/** How long completion may ask an ensemble: the user waits for the key to do something. */
import type { Io } from "../context.ts";

const PATIENCE_MS = 2_000;

/** Whoever says how long things take where they are is believed. */
export function patienceMsOf(env: Io["env"]): number {
  const given = Number(env["ZOOID_TIMEOUT_MS"]);
  return given > 0 && Number.isSafeInteger(given) ? given : PATIENCE_MS;
}
