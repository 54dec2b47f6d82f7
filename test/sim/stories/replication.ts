/** From a batch to a record that a quorum has, and what becomes of one that has none. */
import type { SimNode } from "../sim-node.ts";
import type { StoryCase } from "./story.ts";
import { create, get, set, sync } from "./story-client.ts";

/** It fills a message between nodes whose window is small. */
const LARGE = "x".repeat(300);

export const REPLICATION: readonly StoryCase[] = [
  {
    name: "killed-before-quorum",
    title:
      "a write that only the leader had when it was killed is not done, and its client gets no reply",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const ann = story.client("ann", { at: leader });
      ann.does(create("/x", "1"));
      story.mute(leader);
      const lost = ann.sends(set("/x", "2"));
      story.moment();
      story.kill(leader);
      story.heal();
      story.untilReplaced(leader);
      story.expect("ann had no answer", lost.code === "connectionLoss");
      story.start(leader);
      story.untilWell();
      story.expectEverywhere("/x", "1");
    },
  },
  {
    name: "killed-after-quorum",
    title:
      "a write that a quorum had when the leader was killed is done, though nobody had said so",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      ann.does(create("/x", "1"));
      story.deafen(leader);
      const unknown = ann.sends(set("/x", "2"));
      story.moment();
      story.kill(leader);
      story.heal();
      story.untilReplaced(leader);
      story.expect("ann does not know", unknown.code === "connectionLoss");
      story.expectData(one, "/x", "2");
      story.expectData(two, "/x", "2");
    },
  },
  {
    name: "resubmitted",
    title: "a batch that its leader never committed is submitted to the next one, and done once",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/x", "1"));
      story.mute(leader);
      const reply = ann.sends(set("/x", "2"));
      story.untilReplaced(leader);
      story.until("ann is answered", () => reply.code !== undefined);
      story.expect("it is done", reply.isOk);
      story.heal();
      story.untilWell();
      story.expectEverywhere("/x", "2");
      story.expect("once: its version is 1", versionOf(story.nodes[0], "/x") === 1);
    },
  },
  {
    name: "deposed-with-batch",
    title:
      "a batch that a deposed leader had in its log alone is cut off there, and done by its successor",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [other] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      const ben = story.client("ben", { at: other });
      ann.does(create("/x", "1"));
      story.isolate(leader);
      const reply = ann.sends(set("/x", "ann's"));
      story.untilReplaced(leader);
      ben.does(set("/x", "ben's"));
      story.heal();
      story.until("ann is answered", () => reply.code !== undefined);
      story.expect("it is done", reply.isOk);
      story.untilWell();
      story.expectEverywhere("/x", "ann's");
    },
  },
  {
    name: "late-append",
    title: "an append of an earlier epoch is refused wherever a later one is promised",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      story.clog(leader, one);
      story.clog(leader, two);
      const reply = ann.sends(create("/x", "1"));
      story.moment();
      story.stand(one);
      story.untilReplaced(leader);
      story.expectData(one, "/x", undefined);
      story.heal();
      story.untilWell();
      story.until("ann is answered", () => reply.code !== undefined);
      story.expect("it is done in the later epoch", reply.isOk && (reply.zxid ?? 0) >= 2 * 2 ** 32);
    },
  },
  {
    name: "truncated-at-restart",
    title: "records that a leader wrote alone before it was killed are cut off when it comes back",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [other] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      const ben = story.client("ben", { at: other });
      ann.does(create("/x", "1"));
      story.isolate(leader);
      ann.sends(set("/x", "2"));
      ann.sends(create("/only-here", ""));
      story.moment();
      story.kill(leader);
      story.heal();
      story.untilReplaced(leader);
      ben.does(set("/x", "3"));
      story.start(leader);
      story.untilWell();
      story.expectEverywhere("/x", "3");
      story.expectEverywhere("/only-here", undefined);
    },
  },
  {
    name: "catch-up-from-memory",
    title: "a follower that missed a few records gets them from its leader's memory",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [away, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "0"));
      story.isolate(away);
      for (const value of ["1", "2", "3"]) ann.does(set("/x", value));
      story.expectData(away, "/x", "0");
      story.heal();
      story.untilWell();
      story.expectData(away, "/x", "3");
    },
  },
  {
    name: "catch-up-from-disk",
    title:
      "a follower that missed more than its leader has in memory gets it from the leader's log, a piece at a time",
    nodes: 3,
    windowBytes: 1000,
    tell: (story) => {
      const { leader } = story;
      const [away, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", ""));
      story.kill(away);
      story.writeMany(ann, 10);
      story.start(away);
      story.untilWell();
      story.expectData(away, "/many/9", story.manyData);
    },
  },
  {
    name: "lost-append",
    title: "a follower that missed one append says where it stands, and is sent what it lacks",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: two });
      ann.does(create("/x", "1"));
      story.cut(leader, one);
      ann.does(set("/x", "2"));
      story.heal();
      ann.does(set("/x", "3"));
      story.untilWell();
      story.expectEverywhere("/x", "3");
    },
  },
  {
    name: "slow-follower-disk",
    title: "a write does not wait for the disk of a follower whom no quorum needs",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [slow, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      story.disks.slowSync(slow, 300);
      const reply = ann.sends(create("/x", "1"));
      story.moment();
      story.expect("ann is answered", reply.isOk);
      story.expectData(slow, "/x", undefined);
      story.untilWell();
      story.expectData(slow, "/x", "1");
    },
  },
  {
    name: "slow-leader-disk",
    title:
      "a leader commits nothing that is not on its own disk; followers who are a quorum do not wait for that",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: one });
      const ben = story.client("ben", { at: leader });
      ann.does(create("/x", "1"));
      story.disks.slowSync(leader, 300);
      const there = ann.sends(set("/x", "2"));
      const here = ben.sends(set("/x", "3"));
      story.moment();
      story.expect("ann is answered", there.isOk);
      story.expect("ben waits", here.code === undefined);
      story.expectData(leader, "/x", "1");
      story.until("ben is answered", () => here.isOk);
      story.untilWell();
      story.expectEverywhere("/x", "2");
    },
  },
  {
    name: "followers-count",
    title:
      "followers count for themselves, and know that a write is committed whose leader does not know it",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      const ben = story.client("ben", { at: one });
      ann.does(create("/x", "1"));
      story.deafen(leader);
      const reply = ann.sends(set("/x", "2"));
      story.moment();
      story.expect("ann waits", reply.code === undefined);
      story.expectData(leader, "/x", "1");
      story.expect("ben reads the new", ben.does(get("/x")).text === "2");
      story.expectData(two, "/x", "2");
      story.heal();
      story.untilWell();
      story.until("ann is answered", () => reply.isOk);
    },
  },
  {
    name: "one-follower-gone",
    title:
      "where followers are no quorum by themselves a write waits for the mark of the leader, which sends it",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/x", "1"));
      story.kill(two);
      ann.does(set("/x", "2"));
      ann.does(set("/x", "3"));
      story.start(two);
      story.untilWell();
      ann.does(set("/x", "4"));
      ann.does(set("/x", "5"));
      story.expectEverywhere("/x", "5");
    },
  },
  {
    name: "accepted-in-a-later-epoch",
    title: "what others accept in a later epoch does not count for a record of an earlier one",
    nodes: 5,
    tell: (story) => {
      const { leader } = story;
      const [one, two, three, four] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      const ben = story.client("ben", { at: three });
      ann.does(create("/x", "1"));
      for (const other of [two, three, four]) story.cut(leader, other);
      const reply = ann.sends(set("/x", "2"));
      story.moment();
      // Node 1 hears neither the old leader nor the new one, only their followers.
      for (const other of [leader, two]) story.cut(one, other);
      for (const other of [two, three, four]) story.mend(leader, other);
      story.stand(two);
      story.until("all others follow node 2", () => {
        return [two, three, four, leader].every((node) => node.established);
      });
      for (const value of ["3", "4", "5"]) ben.does(set("/x", value));
      story.expectData(one, "/x", "1");
      story.heal();
      story.untilWell();
      story.until("ann is answered", () => reply.isOk);
    },
  },
  {
    name: "sync-then-read",
    title:
      "a read after a sync sees what was acknowledged elsewhere before it, however far behind its node is",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [lagging, other] = story.others(leader);
      const ann = story.client("ann", { at: lagging });
      const ben = story.client("ben", { at: other });
      ben.does(create("/x", "1"));
      story.clog(leader, lagging);
      ben.does(set("/x", "2"));
      story.expect("without it ann reads the old", ann.does(get("/x")).text === "1");
      const synced = ann.sends(sync("/x"));
      const read = ann.sends(get("/x"));
      story.moment();
      story.expect("they wait", synced.code === undefined && read.code === undefined);
      story.heal();
      story.until("they are answered", () => read.code !== undefined);
      story.expect("ann reads the new", read.text === "2");
    },
  },
  {
    // Raft's figure 8 (In Search of an Understandable Consensus Algorithm, section 5.4.2).
    name: "earlier-epoch-on-a-quorum",
    title:
      "a leader does not take a record of an earlier epoch for committed because a quorum has it: its own barrier must be there too",
    nodes: 5,
    windowBytes: 1000, // One record travels at a time.
    tell: (story) => {
      const { leader } = story;
      const [one, two, three, four] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      story.part(leader, one);
      ann.sends(create("/x", LARGE));
      story.moment();
      story.kill(leader, one);
      story.stand(four);
      story.untilPromised(four);
      story.isolate(four);
      story.moment();
      story.kill(four);
      story.start(one);
      story.heal();
      story.until("node 1 has read its log", () => one.logSync?.recovered === true);
      story.stand(one);
      story.untilHeld([two, three], one.log.state?.log.durable ?? 0);
      // It hears that a quorum has the record, and its barrier reaches nobody.
      story.mute(one);
      story.moment();
      story.kill(one);
      story.heal();
      story.start(four);
      story.until("node 4 has read its log", () => four.logSync?.recovered === true);
      story.stand(four);
      story.untilWell();
      story.expectLeader(four);
      story.expectData(two, "/x", undefined);
    },
  },
  {
    name: "twice-and-overtaken",
    title: "messages that come twice and overtake one another change nothing",
    nodes: 3,
    tell: (story) => {
      const [one] = story.others(story.leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/x", "0"));
      story.overtake(30);
      const replies = ["1", "2", "3", "4"].map((data) => ann.sends(set("/x", data)));
      story.until("all are answered", () => replies.every(({ code }) => code !== undefined));
      story.expect(
        "each was done",
        replies.every(({ isOk }) => isOk),
      );
      story.heal();
      story.untilWell();
      story.expectEverywhere("/x", "4");
      story.expect("each was done once: the version is 4", versionOf(one, "/x") === 4);
    },
  },
];

function versionOf(node: SimNode | undefined, path: string): number | undefined {
  const znodes = node?.tree(1)?.znodes;
  const znode = znodes?.find(path);
  return znode === undefined ? undefined : znodes?.version(znode);
}
