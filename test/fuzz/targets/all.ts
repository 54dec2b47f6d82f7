/** Everything that is fuzzed. */
import type { Target } from "../target.ts";
import { CODECS } from "./codecs.ts";
import { CONFIG } from "./config.ts";
import { FOLDERS } from "./folders.ts";
import { SNAPSHOTS } from "./snapshots.ts";
import { CONVERSATIONS } from "./conversations.ts";
import { PEERS } from "./peers.ts";

export const TARGETS: readonly Target[] = [
  ...CODECS,
  ...PEERS,
  ...CONVERSATIONS,
  ...FOLDERS,
  ...SNAPSHOTS,
  ...CONFIG,
];
