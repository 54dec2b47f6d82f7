/** All commands of the console, in the order in which they are listed. */
import { BENCH, DASHBOARD, SESSIONS, STATUS, TOP } from "./specs/servers.ts";
import { MIGRATE } from "./specs/moving.ts";
import { AT, DIFF, FIND, HISTORY } from "./specs/past.ts";
import { EXPORT, GET, LS, STAT, WATCH } from "./specs/reading.ts";
import { COMPLETION, SHELL, SYNC, WHO_AM_I } from "./specs/session.ts";
import { ACL, CREATE, DELETE, DELETE_ALL, IMPORT, QUOTA, SET } from "./specs/writing.ts";
import type { Spec } from "./spec.ts";

export const SPECS: readonly Spec[] = [
  ...[LS, GET, STAT, SET, CREATE, DELETE, DELETE_ALL, ACL, QUOTA, WATCH],
  ...[HISTORY, AT, DIFF, FIND, EXPORT, IMPORT, MIGRATE],
  ...[STATUS, SESSIONS, TOP, DASHBOARD, BENCH, SYNC, WHO_AM_I, SHELL, COMPLETION],
];

export function specOf(name: string): Spec | undefined {
  return SPECS.find((spec) => spec.name === name);
}
