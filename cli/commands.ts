/** The commands of `zooid` that are about nodes and their folders. Those of the console are in `console/specs.ts`. */
import type { Command } from "./command.ts";

export type CommandEntry = {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Loads it when it is run: each brings much that the others do without. */
  readonly load: () => Promise<Command>;
};

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "serve",
    summary: "run one node",
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "ensemble",
    summary: "run several nodes on this machine",
    load: async () => (await import("./ensemble/command.ts")).ensemble,
  },
  {
    name: "transfer-leadership",
    summary: "have the leader hand over to another node",
    load: async () => (await import("./operator/transfer.ts")).transferLeadership,
  },
  {
    name: "restart",
    summary: "start the nodes of an ensemble again, one after the other",
    load: async () => (await import("./operator/restart.ts")).restart,
  },
  {
    name: "doctor",
    summary: "say what of this machine and a configuration is not good enough for a node",
    load: async () => (await import("./doctor/command.ts")).doctor,
  },
  {
    name: "inspect",
    summary: "print and verify what is in a node's data folder",
    load: async () => (await import("./inspect.ts")).inspect,
  },
  {
    name: "certs",
    summary: "make an authority and certificates for TLS, for development",
    load: async () => (await import("./certs/command.ts")).certs,
  },
  {
    name: "backup",
    summary: "write all that a node holds into one file, while the node serves",
    load: async () => (await import("./backup/commands.ts")).backup,
  },
  {
    name: "verify-backup",
    summary: "read and check a whole backup, and say what it holds",
    load: async () => (await import("./backup/commands.ts")).verifyBackup,
  },
  {
    name: "restore",
    summary: "make a node's data folder, of a new ensemble, from a backup",
    load: async () => (await import("./backup/commands.ts")).restore,
  },
  {
    name: "import-zookeeper",
    summary: "make a backup of zooid from the files of Apache ZooKeeper",
    load: async () => (await import("./backup/commands.ts")).importZookeeper,
  },
  {
    name: "export-zookeeper",
    summary: "write what a backup holds as a snapshot of Apache ZooKeeper",
    load: async () => (await import("./backup/commands.ts")).exportZookeeper,
  },
];
