/** All stories. */
import { DISKS } from "./disks.ts";
import { ELECTIONS } from "./elections.ts";
import { FAILOVERS } from "./failovers.ts";
import { HANDOVERS } from "./handovers.ts";
import { MEMBERSHIP } from "./membership.ts";
import { REPLICATION } from "./replication.ts";
import { SESSIONS } from "./sessions.ts";
import { SNAPSHOTS } from "./snapshots.ts";
import type { StoryCase } from "./story.ts";

export const STORIES: readonly StoryCase[] = [
  ...ELECTIONS,
  ...FAILOVERS,
  ...HANDOVERS,
  ...REPLICATION,
  ...SNAPSHOTS,
  ...DISKS,
  ...SESSIONS,
  ...MEMBERSHIP,
];
