/** The commands that are about a session, and those that need none. */
import type { Spec } from "../spec.ts";
import { JSON_FLAG, PATH } from "./shared.ts";

export const SYNC: Spec = {
  name: "sync",
  summary: "wait until the server has every write that was finished before",
  details:
    "Each command has a session of its own, so this is of use in the shell; get --linearizable does it for one read.",
  operands: [{ ...PATH, summary: "any znode (default /)", optional: true }],
  flags: [JSON_FLAG],
  examples: [{ command: "zooid sync", does: "also a test of whether the ensemble has a leader" }],
  connects: true,
  load: () => import("../commands/sync.ts"),
};

export const WHO_AM_I: Spec = {
  name: "whoami",
  summary: "print who the session is to access control lists",
  operands: [],
  flags: [JSON_FLAG],
  examples: [
    { command: "zooid whoami --auth bob:pw", does: "bob, and the address that the server sees" },
  ],
  connects: true,
  load: () => import("../commands/whoami.ts"),
};
