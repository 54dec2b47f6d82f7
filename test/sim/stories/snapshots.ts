/** Snapshots, the purge of what they hold, and their way to a follower. */
import type { Story, StoryCase } from "./story.ts";
import { CLOSE, create, set } from "./story-client.ts";
import type { SimNode } from "../sim-node.ts";

const PURGING = { segmentBytes: 4096, snapshotEveryBytes: 8192, snapshotChunkBytes: 6000 } as const;
const COUNT = 80;

/** A follower that was away for so long that its leader's log begins after its own ends. */
function leaveBehind(story: Story): { readonly leader: SimNode; readonly away: SimNode } {
  const { leader } = story;
  const [away, other] = story.others(leader);
  const ann = story.client("ann", { at: other });
  story.kill(away);
  story.writeMany(ann, COUNT);
  expectBehind(story, leader, away);
  return { leader, away };
}

function expectBehind(story: Story, leader: SimNode, away: SimNode): void {
  const { base = 0 } = leader.logSync?.log.index ?? {};
  const end = away.log.state?.log.durable ?? base;
  const what = `the log of node ${leader.id} begins after that of node ${away.id} ends`;
  story.expect(what, base > end);
}

export const SNAPSHOTS: readonly StoryCase[] = [
  {
    name: "purged",
    title:
      "a follower whose next records are purged gets its leader's snapshot, which knows whose ephemeral znodes are, and the log from there on",
    nodes: 3,
    ...PURGING,
    tell: (story) => {
      const { leader } = story;
      const [, other] = story.others(leader);
      const ben = story.client("ben", { at: other });
      ben.does(create("/lock", "ben's", "ephemeral"));
      const { away } = leaveBehind(story);
      story.start(away);
      story.untilWell();
      story.expectData(away, `/many/${COUNT - 1}`, story.manyData);
      ben.does(CLOSE);
      story.untilWell();
      story.expectData(away, "/lock", undefined);
    },
  },
  {
    name: "purged-while-cut-off",
    title: "a follower that ran all the time and heard nothing gets its leader's snapshot too",
    nodes: 3,
    ...PURGING,
    tell: (story) => {
      const { leader } = story;
      const [away, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      story.isolate(away);
      story.writeMany(ann, COUNT);
      expectBehind(story, leader, away);
      story.heal();
      story.untilWell();
      story.expectData(away, `/many/${COUNT - 1}`, story.manyData);
    },
  },
  {
    name: "transfer-interrupted",
    title: "a transfer that the network interrupts goes on at the chunk that it had come to",
    nodes: 3,
    ...PURGING,
    tell: (story) => {
      const { leader, away } = leaveBehind(story);
      story.start(away);
      story.untilChunk(away, 2);
      story.cut(leader, away);
      story.wait(400);
      story.heal();
      story.untilWell();
      story.expectData(away, `/many/${COUNT - 1}`, story.manyData);
    },
  },
  {
    name: "leader-dies-in-transfer",
    title:
      "when the leader dies in the midst of a transfer the next one offers a snapshot of its own",
    nodes: 3,
    ...PURGING,
    tell: (story) => {
      const { leader, away } = leaveBehind(story);
      story.start(away);
      story.untilChunk(away, 2);
      story.kill(leader);
      story.untilReplaced(leader);
      story.untilWell();
      story.expectData(away, `/many/${COUNT - 1}`, story.manyData);
    },
  },
  {
    name: "follower-dies-in-transfer",
    title:
      "a follower that is killed in the midst of a transfer holds its old log when it comes back, and then gets all",
    nodes: 3,
    ...PURGING,
    tell: (story) => {
      const { away } = leaveBehind(story);
      story.start(away);
      story.untilChunk(away, 2);
      story.kill(away);
      story.moment();
      story.start(away);
      story.untilWell();
      story.expectData(away, `/many/${COUNT - 1}`, story.manyData);
    },
  },
  {
    name: "leads-after-snapshot",
    title:
      "a node that got a snapshot leads with all that it must know: the last batch of every lane, too",
    nodes: 3,
    ...PURGING,
    tell: (story) => {
      const { leader } = story;
      const [away, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      const ben = story.client("ben", { at: leader });
      story.kill(away);
      ann.does(create("/x", "1"));
      story.writeMany(ben, COUNT);
      expectBehind(story, leader, away);
      story.start(away);
      story.untilWell();
      story.kill(leader);
      story.stand(away);
      story.untilReplaced(leader);
      story.expectLeader(away);
      // The log of the new leader has no batch of her lane: it knows of the last one from the snapshot.
      ann.does(set("/x", "2"));
      story.untilWell();
      story.expectData(away, "/x", "2");
    },
  },
  {
    name: "restart-from-snapshot",
    title: "a node alone whose log is purged comes back with what its snapshot and its log hold",
    nodes: 1,
    ...PURGING,
    tell: (story) => {
      const { leader } = story;
      const ann = story.client("ann", { at: leader });
      story.writeMany(ann, COUNT);
      story.powerFailure(leader);
      story.start(leader);
      story.untilWell();
      story.expectData(leader, "/many/0", story.manyData);
      story.expectData(leader, `/many/${COUNT - 1}`, story.manyData);
    },
  },
];
