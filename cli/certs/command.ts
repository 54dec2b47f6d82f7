/** `zooid certs`: its description and flags. What it does is loaded when it is called. */
import type { Command } from "../command.ts";

export const FOLDER = "folder";
const FOLDER_DEFAULT = "certs";
export const NAMES_DEFAULT = "localhost,127.0.0.1,::1";
export const NODES_DEFAULT = "node";
export const CLIENTS_DEFAULT = "client";
export const DAYS_DEFAULT = 365;
export const DAYS_MAX = 3650;

export const certs: Command = {
  description: `Makes an authority for development, and certificates of it for nodes, NATS and clients, in PEM form, and prints the settings with
which they are used. What is there is never overwritten; --renew makes new keys and certificates of the same authority.

  zooid certs
  zooid certs /etc/zooid/certs --names host-a,host-b,host-c,10.0.0.1 --clients app,operator
  zooid certs /etc/zooid/certs --renew

ca.key signs for everybody whom your servers will trust: keep it where only you are. All files are for their owner only (0600). Renewed ones
keep their names, and their owner and mode; nodes, NATS and clients take them without losing a connection.
Exit codes: 0 ok, 1 nothing was made, 2 wrong flags, or files that are there already.`,
  operands: [
    {
      name: FOLDER,
      summary: `where the files are (default ${FOLDER_DEFAULT})`,
      byDefault: FOLDER_DEFAULT,
    },
  ],
  flags: [
    {
      name: "names",
      placeholder: "NAME,…",
      summary: `host names and addresses of the nodes and of NATS (default ${NAMES_DEFAULT}; with --renew, as before)`,
    },
    {
      name: "nodes",
      placeholder: "NAME,…",
      summary: `certificates of nodes; one may serve all of them (default ${NODES_DEFAULT})`,
    },
    {
      name: "clients",
      placeholder: "NAME,…",
      summary: `certificates of clients, who are then CN=NAME (default ${CLIENTS_DEFAULT})`,
    },
    {
      name: "days",
      placeholder: "N",
      summary: `how long they are valid, up to ${DAYS_MAX} (default ${DAYS_DEFAULT}; the authority: ${DAYS_MAX})`,
    },
    {
      name: "renew",
      placeholder: undefined,
      summary: "make every certificate in the folder again, and those that are named and not there",
    },
    { name: "json", placeholder: undefined, summary: "one JSON object, for programs" },
  ],
  run: async (...args) => (await import("./run.ts")).run(...args),
};
