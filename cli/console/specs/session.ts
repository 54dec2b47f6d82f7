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

export const SHELL: Spec = {
  name: "shell",
  summary: "many commands with one session, with history, completion and zkCli's words",
  details: `On a terminal Tab completes commands, flags and paths, and the lines are kept in ~/.zooid_history (ZOOID_HISTORY names another file, or
none if it is empty), but for those with passwords. From a pipe each line is a command, # begins a comment, and the exit code is that
of the last command that failed. help lists the commands.`,
  operands: [],
  flags: [],
  examples: [
    { command: "zooid shell --server zk://zk1:2181", does: "until quit or Ctrl-D" },
    { command: "zooid shell < commands.txt", does: "a file of commands" },
  ],
  connects: true,
  load: () => import("../shell/shell.ts"),
};

export const COMPLETION: Spec = {
  name: "completion",
  summary: "print the script that completes commands, flags and paths in your shell",
  operands: [{ name: "shell", summary: "bash, zsh or fish", completes: "nothing" }],
  flags: [],
  examples: [
    { command: "source <(zooid completion bash)", does: "in ~/.bashrc" },
    { command: "source <(zooid completion zsh)", does: "in ~/.zshrc, behind compinit" },
    { command: "zooid completion fish | source", does: "in ~/.config/fish/config.fish" },
  ],
  connects: false,
  load: () => import("../commands/completion.ts"),
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
