/** What `--help` prints. */
import type { Profile } from "./profiles/profile.ts";

export function helpText(profiles: Readonly<Record<string, Profile>>): string {
  const list = Object.entries(profiles)
    .map(([name, { summary }]) => `  ${name.padEnd(16)}${summary}`)
    .join("\n");
  return `Usage: npm run bench -- [profiles] [options]

Profiles, several at once (default: lone clients write create read):

${list}

Starts three zooid nodes on free ports of this machine, drives them, and stops them. Peers are started from Debian's packages, and are
all up at once; one at a time is under load, in turn. Nothing is downloaded.

  --peers LIST        beside zooid: of zookeeper, etcd, jetstream, jetstream-fsync
  --no-zooid          the peers alone
  --target LIST       drive these servers (host:port,host:port) instead of starting zooid
  --quick             short runs: with --peers zookeeper and the default profiles, under 3 minutes
  --seconds N         measured time of each load (default 10; quick 2)
  --warmup-seconds N  time under load before it (default 3; quick 1)
  --first-warmup-seconds N
                      the same before the first load of each target (default 10; quick 5): servers that
                      compile as they run, in a JVM or V8, are slow until they have
  --rounds N          repeat, and tell medians (default 1; 3 with peers; quick 2; dashboard 10, quick 3)
  --load-processes N  processes that make the load (default 1)
  --value-bytes N     bytes of each value (default 128)
  --zooid-args TEXT   further arguments for zooid's nodes, as --zooid-args="--lanes 2"
  --dir FOLDER        where the servers' data goes (default: the system's folder for temporary files)

Results:

  --json FILE         where they go (default: bench/results/<time>.json)
  --html FILE         a report with plots, in one file
  --baseline FILE     also write them here, for a later --against
  --against FILE      compare with these earlier results (a name that ends in .json)
  --against COMMIT    check the commit out in a temporary folder, npm ci, and run it in turn with this one

Of single profiles:

  --works LIST        custom, ceiling: of set, create, get, "mixed 90/10", ... (default set,create,get)
  --connections N     custom, ceiling: spread over the servers (default 30)
  --outstanding N     custom, ceiling: requests that each keeps under way (default 64)
  --rates LIST        open-loop: requests per second (default 250,500,1000,2000,4000,8000,16000)
  --markdown FILE     budget: its tables
  --kills N           failover: leaders to kill (default 10; quick 3)
  --znodes N          snapshots, memory, operator: znodes of the tree (default 1000000); dashboard: the same,
                      and as many children of one parent; growth: the most (default 1000000); tree-apply
                      (default 1000)
  --writes-per-second N
                      snapshots: while the snapshot is cut (default 5000)
  --lanes N           tree-apply: measure 1 to N lanes (default: the machine's processors)
  --batch-sizes LIST  tree-apply: operations in one batch (default 1,4,16,64,256,1024)
  --operations N      tree-apply: applied for each result, fewer with small batches (default 200000)
  --blocks N          operator: times that each two treatments are compared (default 40; quick 6)
  --disturbances LIST operator: of status, top, metrics, listing, dashboards, backup, control (default all)
  --nodes LIST        operator: ensembles of so many nodes (default 1,3; quick 1)
  --seed N            operator: what the order of its slots is drawn from (default: another each time)
  --help              this text
`;
}
