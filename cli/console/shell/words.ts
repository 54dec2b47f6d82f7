/** The words of zkCli: what each is called here. Source: the commands of ZooKeeper 3.9's ZooKeeperMain. */

type Word = {
  readonly name: string;
  /** What it is here, for the list of commands. */
  readonly is: string;
  /** The command and its arguments. */
  readonly becomes: (args: readonly string[]) => readonly string[];
};

const LIMITS: ReadonlySet<string> = new Set(["-n", "-b", "-N", "-B"]);

export const WORDS: readonly Word[] = [
  { name: "ls2", is: "ls -s", becomes: (args) => ["ls", "-s", ...args] },
  { name: "rmr", is: "deleteall", becomes: (args) => ["deleteall", ...args] },
  { name: "getAcl", is: "acl", becomes: (args) => ["acl", ...args] },
  { name: "setAcl", is: "acl", becomes: (args) => ["acl", ...args] },
  { name: "listquota", is: "quota", becomes: (args) => ["quota", ...args] },
  { name: "setquota", is: "quota", becomes: (args) => ["quota", ...args] },
  { name: "delquota", is: "quota --delete", becomes: removedLimits },
  { name: "addWatch", is: "watch", becomes: (args) => ["watch", ...withoutMode(args)] },
  {
    name: "getAllChildrenNumber",
    is: "ls -R --count",
    becomes: (args) => ["ls", "-R", "--count", ...args],
  },
  {
    name: "config",
    is: "get /zookeeper/config",
    becomes: (args) => ["get", ...args, "/zookeeper/config"],
  },
];

/** Words that are not here, and what to do. */
export const MISSING_WORDS: Readonly<Record<string, string>> = {
  reconfig: "an ensemble of zooid is changed otherwise: docs/operations/several-hosts.md",
  getEphemerals: "ls -R --json names the owner of each znode",
  removewatches: "watch ends with Ctrl-C",
  printwatches: "watch prints what it follows, and nothing else does",
  redo: "the arrow keys go through the history",
};

/** What these are in zkCli, they are in `watch` here. */
const WATCHING: ReadonlySet<string> = new Set(["ls", "ls2", "get", "stat"]);

export type Translated =
  | { readonly kind: "command"; readonly words: readonly string[] }
  | { readonly kind: "missing"; readonly advice: string };

export function translated(words: readonly string[]): Translated {
  const [name = "", ...args] = words;
  const advice = Object.hasOwn(MISSING_WORDS, name) ? MISSING_WORDS[name] : undefined;
  if (advice !== undefined) return { kind: "missing", advice };
  if (WATCHING.has(name) && args.includes("-w")) {
    return { kind: "missing", advice: "-w is not here: watch PATH follows its changes" };
  }
  const word = WORDS.find((each) => each.name === name);
  return { kind: "command", words: word === undefined ? words : word.becomes(args) };
}

/** `delquota -n /a` removes one limit, `delquota /a` the quota. */
function removedLimits(args: readonly string[]): readonly string[] {
  if (!args.some((arg) => LIMITS.has(arg))) return ["quota", "--delete", ...args];
  return ["quota", ...args.flatMap((arg) => (LIMITS.has(arg) ? [arg, "none"] : [arg]))];
}

/** The usual mode of addWatch is recursive; the other one is about the znode and its children. */
function withoutMode(args: readonly string[]): readonly string[] {
  const at = args.indexOf("-m");
  if (at < 0) return args;
  const rest = [...args.slice(0, at), ...args.slice(at + 2)];
  return args[at + 1] === "PERSISTENT" ? ["--children", ...rest] : rest;
}
