/** The paths of programs: few, so that what one request does is seen by others, and now and then an odd one. */
import type { Random } from "../../sim/random.ts";
import { isOn } from "./features.ts";
import type { Text } from "./program.ts";

const USUAL: readonly string[] = [
  "~/a",
  "~/b",
  "~/a/x",
  "~/a/y",
  "~/a/x/deep",
  "~/b/z",
  "~/e",
  "~/f",
  "~/s-",
  "~/a/s",
  "~/absent",
  "~/absent/child",
  "~/s-0000000000",
  "~/s-0000000001",
  "~/a/s0000000002",
  "~",
];

/** Most break a rule of paths; the last ones do not. */
const ODD: readonly Text[] = [
  null,
  "",
  "/",
  "relative",
  "relative/child",
  "~/",
  "~/a/",
  "~//a",
  "~/a//x",
  "~/.",
  "~/..",
  "~/./a",
  "~/a/../b",
  "~/a/.",
  "~/nul\u0000",
  "~/a\u0000/x",
  "\u0000",
  "~/control\u0001",
  "~/control\u001f",
  "~/delete\u007f",
  "~/control\u00c2\u0085",
  // UTF-8 of U+D800, which is half of a pair; of U+1F41A; of U+E000, U+F8FF, U+FFF0 and U+FFFD.
  "~/half\u00ed\u00a0\u0080",
  "~/pair\u00f0\u009f\u0090\u009a",
  "~/pair\u00ed\u00a0\u00bd\u00ed\u00b0\u009a",
  "~/private\u00ee\u0080\u0080",
  "~/private\u00ef\u00a3\u00bf",
  "~/special\u00ef\u00bf\u00b0",
  "~/special\u00ef\u00bf\u00bd",
  // Bytes that are not UTF-8.
  "~/\u00ff",
  "~/a\u00c3",
  "~/\u00c3(",
  "~/\u00e2\u0082",
  "~/\u00e2\u0082/x",
  "~/\u00e2(\u00a1",
  "~/\u00f0\u009f\u0090",
  "~/\u00c0\u0080",
  "~/\u00f5\u0080\u0080\u0080",
  "~/\u00f4\u0090\u0080\u0080",
  "~/\u0080\u0080",
  "\u00ff",
  "~/umlaut\u00c3\u00bc",
  "~/umlaut\u00c3\u00bc/x",
  "~/\u00e5\u0090\u008d",
  "~/fine\u00ef\u00bf\u00af",
  "~/..a",
  "~/a b",
];

/** What the server has by itself, and what programs make there: `/zookeeper^` is the program's own. */
const SYSTEM: readonly string[] = [
  "/zookeeper",
  "/zookeeper/",
  "/zookeeper/quota",
  "/zookeeper/config",
  "/zookeeper/config/x",
  "/zookeeper/absent/x",
  "/zookeeper^",
  "/zookeeper^/x",
  ...["/zookeeper/quota^", "/zookeeper/quota~", "/zookeeper/quota~/a"].flatMap((path) => [
    path,
    `${path}/zookeeper_limits`,
    `${path}/zookeeper_stats`,
  ]),
];

const ODD_SHARE = 0.12;
const SYSTEM_SHARE = 0.06;

export function drawPath(random: Random): Text {
  if (isOn("systemPaths") && random.chance(SYSTEM_SHARE)) return random.pick(SYSTEM);
  if (random.chance(ODD_SHARE)) return random.chance(0.2) ? drawBytes(random) : random.pick(ODD);
  return random.pick(USUAL);
}

/** Any bytes, most of them such as UTF-8 has in places where it does not. */
function drawBytes(random: Random): Text {
  const bytes = Array.from({ length: 1 + random.below(6) }, () => {
    return random.chance(0.3) ? 0x80 + random.below(0x40) : random.pick(BYTES);
  });
  return `~/${String.fromCharCode(...bytes)}`;
}

const BYTES: readonly number[] = [
  ...[
    0x61, 0x2f, 0xc2, 0xc3, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xf8, 0xff, 0xc0,
  ],
];

/** How a path is watched: in one way in all programs, since ZooKeeper 3.8 knows one kind of watch of a connection on a path. */
export type Watching = "once" | "persistent" | "recursive";
const STAYING: ReadonlyMap<Text, Watching> = new Map([
  ["~", "recursive"],
  ["~/a", "persistent"],
  ["~/a/x", "recursive"],
  ["~/b", "persistent"],
  ["~/f", "persistent"],
  ["~/absent/child", "recursive"],
  ["~/s-0000000000", "persistent"],
  ["~/umlaut\u00c3\u00bc", "persistent"],
  ["~/a/", "recursive"],
  ["~//a", "persistent"],
  ["relative", "recursive"],
  ["~/\u00ff", "recursive"],
]);

export function isWatched(path: Text, watching: Watching): boolean {
  return !isShared(path) && (STAYING.get(path) ?? "once") === watching;
}

/** Whether programs share what is there, so that one sees the others. */
export function isShared(path: Text | undefined): boolean {
  return path !== null && path !== undefined && SHARED.has(path);
}

const SHARED: ReadonlySet<string> = new Set([
  ...["", "/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"],
]);

const BELOW_SHARED: ReadonlySet<string> = new Set([
  ...["/zookeeper/", "/zookeeper^", "/zookeeper/quota^"],
]);

/** Whether a name that is made there would have the number of children in it that all programs have. */
export function isBelowShared(path: Text): boolean {
  return path !== null && (BELOW_SHARED.has(path) || isShared(path));
}
