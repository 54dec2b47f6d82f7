/**
 * The commands that make, check and restore backups. Only their descriptions and flags are here: what one does is loaded when it is called,
 * so that the help of the others is there without it.
 */
import { KEYS } from "../../server/config/keys.ts";
import type { NodeConfig } from "../../server/config/node-config.ts";
import type { Command } from "../command.ts";
import type { Flag } from "../flags.ts";
import { EXIT_LEADER, FILE, FOLDER, SERVER_DEFAULT, ZOOKEEPER_FOLDER } from "./command-words.ts";

const JSON_FLAG: Flag = {
  name: "json",
  placeholder: undefined,
  summary: "one JSON object, for programs",
};

/** The settings of a node that say whose its data folder is. */
const OWN_FIELDS: readonly (keyof NodeConfig)[] = ["id", "members", "ensemble", "dataDir"];
const OWNER_FLAGS: readonly Flag[] = [
  ...KEYS.filter(({ field }) => OWN_FIELDS.includes(field)).map(
    ({ flag, placeholder, summary }) => ({ name: flag, placeholder, summary }),
  ),
  { name: "config", placeholder: "FILE", summary: "the same from the node's zoo.cfg; flags win" },
];

const TO_ZXID_FLAG: Flag = {
  name: "to-zxid",
  placeholder: "ZXID",
  summary: "as it was after this zxid, such as 0x100000000 (default: the backup's last)",
};

export const backup: Command = {
  description: `Writes all that a node holds, as it is at one zxid, into one file with checksums. The node may serve: its data folder is
only read, and the node is asked over its client port what is committed. Run it where a follower runs, as the user
that the node runs as. A folder that is not in use is backed up to the last record in it.

  zooid backup ./data /backup/zooid-$(date +%F)
  zooid backup ./data - --unless-leader | ssh vault 'cat > zooid.backup'

The file is there under its name only when it is whole and durable, and is never overwritten. It holds all data
and the passwords of sessions: keep it as secret as the data folder. - is standard output.
Exit codes: 0 ok, 1 no backup was made, 2 wrong flags, ${EXIT_LEADER} the node leads (with --unless-leader).`,
  operands: [
    { name: FOLDER, summary: "a node's data folder" },
    { name: FILE, summary: "the backup to write, or -" },
  ],
  flags: [
    {
      name: "server",
      placeholder: "HOST:PORT",
      summary: `the node's client port, to ask what is committed (default ${SERVER_DEFAULT})`,
    },
    {
      name: "history",
      placeholder: undefined,
      summary: "begin with the oldest snapshot: more points in time can be restored",
    },
    {
      name: "unless-leader",
      placeholder: undefined,
      summary: `do nothing, with exit code ${EXIT_LEADER}, while the node leads`,
    },
    JSON_FLAG,
  ],
  run: async (...args) => (await import("./commands/backup.ts")).run(...args),
};

export const verifyBackup: Command = {
  description: `Reads a whole backup, checks every checksum, and builds the tree that it holds, as a restore does. It takes the memory
that a node takes for the same tree, and changes nothing.

  zooid verify-backup /backup/zooid-2026-11-29
  ssh vault cat zooid.backup | zooid verify-backup - --json

Exit codes: 0 the backup is whole, 1 it is not, 2 there is no such file.`,
  operands: [{ name: FILE, summary: "a backup, or - for standard input" }],
  flags: [JSON_FLAG],
  run: async (...args) => (await import("./commands/verify.ts")).run(...args),
};

export const restore: Command = {
  description: `Makes a fresh data folder from a backup: that of a node of a new ensemble, which begins with what the backup holds. The
settings are those with which the node will be started. Restore every node from the same file, then start all of them.

  zooid restore /backup/zooid-2026-11-29 --data-dir ./data
  zooid restore zooid.backup --id 2 --members 1,2,3 --data-dir /var/lib/zooid
  zooid restore zooid.backup --config zoo.cfg --to-zxid 0x100000123

A folder that is in use or not empty is refused. Sessions of the backup end after their timeouts, and their ephemerals
with them; their clients hear that they have expired. All zxids lie above those of the former ensemble.
Exit codes: 0 ok, 1 nothing was restored, 2 wrong flags, or a folder that is not empty.`,
  operands: [{ name: FILE, summary: "a backup, or - for standard input" }],
  flags: [...OWNER_FLAGS, TO_ZXID_FLAG, JSON_FLAG],
  run: async (...args) => (await import("./commands/restore.ts")).run(...args),
};

export const importZookeeper: Command = {
  description: `Reads the newest state of an Apache ZooKeeper, versions 3.4 to 3.9, from its snapshots and transaction logs, and writes it
as a backup of zooid, from which zooid restore makes the data folders of all nodes. Stop the server first, or copy
its folder: of files that are being written the end is not there yet. They are only read.

  zooid import-zookeeper /var/lib/zookeeper zookeeper.backup
  zooid import-zookeeper /data/version-2 zookeeper.backup --log-dir /datalog/version-2
  zooid restore zookeeper.backup --data-dir ./data

Znodes keep their data, lists, versions, zxids and times. Sessions end after their timeouts, and their ephemerals
with them. Damage is named with file and offset, and ends the import.
Exit codes: 0 ok, 1 nothing was written, 2 wrong flags, or no such files.`,
  operands: [
    { name: ZOOKEEPER_FOLDER, summary: "ZooKeeper's dataDir, or the folder version-2 in it" },
    { name: FILE, summary: "the backup to write" },
  ],
  flags: [
    {
      name: "log-dir",
      placeholder: "DIR",
      summary: "ZooKeeper's dataLogDir, if its logs have a folder of their own",
    },
    JSON_FLAG,
  ],
  run: async (...args) => (await import("../zookeeper-files/commands/import.ts")).run(...args),
};

export const exportZookeeper: Command = {
  description: `Writes what a backup holds as a snapshot of Apache ZooKeeper, from which its versions from 3.4 on start: the way back.

  zooid export-zookeeper zooid.backup /var/lib/zookeeper

It makes version-2/snapshot.ZXID below the folder; give each server of an ensemble a copy. Znodes keep all that they
have; those with a TTL need zookeeper.extendedTypesEnabled there. A version-2 that is not empty is refused.
Exit codes: 0 ok, 1 nothing was written, 2 wrong flags, or a folder that is not empty.`,
  operands: [
    { name: FILE, summary: "a backup, or - for standard input" },
    { name: ZOOKEEPER_FOLDER, summary: "the dataDir of a ZooKeeper that is stopped" },
  ],
  flags: [TO_ZXID_FLAG, JSON_FLAG],
  run: async (...args) => (await import("../zookeeper-files/commands/export.ts")).run(...args),
};
