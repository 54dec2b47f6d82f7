/** Disks that forget, that are full, and that fail. */
import type { StoryCase } from "./story.ts";
import { create, get, set } from "./story-client.ts";

const LARGE = "l".repeat(3000);

export const DISKS: readonly StoryCase[] = [
  {
    name: "empty-disk",
    title:
      "a node with an empty disk is a guest until its number is bound to its new folder, and votes then",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [node, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      story.kill(node);
      story.disks.empty(node);
      story.start(node);
      story.until("it holds everything", () => node.tree(1)?.znodes.find("/x") !== undefined);
      story.expect("without a vote", !node.votes);
      story.untilWell();
      story.expect("it has its vote", node.votes);
      story.expectData(node, "/x", "1");
    },
  },
  {
    name: "two-empty-disks",
    title:
      "two of three nodes with empty disks found nothing beside the third, which still holds what was acknowledged",
    nodes: 3,
    endsWithoutQuorum: true,
    tell: (story) => {
      const { leader: left } = story;
      const [one, two] = story.others(left);
      const ann = story.client("ann", { at: left });
      ann.does(create("/x", "1"));
      story.kill(one, two);
      story.disks.emptyTooMany(one, two);
      story.start(one, two);
      story.wait(10_000);
      story.expect(
        "nobody leads",
        story.nodes.every(({ leads }) => !leads),
      );
      story.expectData(left, "/x", "1");
    },
  },
  {
    name: "two-empty-disks-of-five",
    title: "two of five nodes with empty disks are taken in again by the three others",
    nodes: 5,
    tell: (story) => {
      const { leader } = story;
      const [one, two, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      story.kill(one, two);
      story.disks.empty(one);
      story.disks.empty(two);
      story.start(one, two);
      story.untilWell();
      story.expectEverywhere("/x", "1");
    },
  },
  {
    name: "promise-lost",
    title: "a node that lost its promise has no vote until it knows what it may have promised",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [node] = story.others(leader);
      story.kill(node);
      story.disks.losePromise(node);
      story.start(node);
      story.until("it knows that it lost something", () => node.logSync?.recovered === true);
      story.expect("it has no vote", !node.votes);
      story.untilWell();
      story.expect("it has its vote", node.votes);
    },
  },
  {
    name: "last-write-lost",
    title:
      "a follower that lost what it had acknowledged hears so from its leader, and has no vote before it holds it again",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [node, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      ann.does(set("/x", "2"));
      story.kill(node);
      story.disks.loseLastWrite(node);
      story.start(node);
      story.untilWell();
      story.expectData(node, "/x", "2");
    },
  },
  {
    name: "log-emptied",
    title:
      "a node whose log is gone and whose folder is not has no vote before it holds what it had acknowledged",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [node, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      story.kill(node);
      story.disks.removeLog(node);
      story.start(node);
      story.until("it has read its folder", () => node.logSync?.recovered === true);
      story.expect("it has no vote", !node.votes);
      story.untilWell();
      story.expectData(node, "/x", "1");
    },
  },
  {
    name: "full-on-a-majority",
    title:
      "while the disks of a quorum are full writes are refused, reads are answered and sessions live; with room again writes go on",
    nodes: 3,
    segmentBytes: 4096,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: two });
      ann.does(create("/x", "1"));
      story.disks.fill(leader, one);
      // What was prepared is used first.
      ann.does(create("/a", LARGE));
      story.until("writes are refused", () => two.gateway(1)?.admission !== "all");
      const refused = ann.does(set("/x", "2"));
      story.expect("it is refused", refused.code === "notReadOnly");
      story.expect("ann reads", ann.does(get("/x")).text === "1");
      story.wait(10_000);
      story.expect("ann's session lives", ann.sim.connected);
      story.disks.freeSpace(leader, one);
      story.until("writes are taken", () => two.gateway(1)?.admission === "all");
      ann.does(set("/x", "3"));
      story.untilWell();
      story.expectEverywhere("/x", "3");
    },
  },
  {
    name: "leader-full",
    title: "a leader whose disk is full gives up leading for one that has room",
    nodes: 3,
    segmentBytes: 4096,
    tell: (story) => {
      const { leader } = story;
      const [other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      story.disks.fill(leader);
      // What was prepared is used first.
      for (const path of ["/a", "/b", "/c", "/d"]) ann.sends(create(path, LARGE));
      story.untilReplaced(leader);
      ann.does(set("/x", "2"));
      story.disks.freeSpace(leader);
      story.untilWell();
      story.expectEverywhere("/x", "2");
    },
  },
  {
    name: "sync-fails",
    title:
      "a node whose sync failed stops, since it cannot know what is on its disk, and the others go on",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [failing, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      story.disks.failNextSync(failing);
      ann.does(set("/x", "2"));
      story.until("it has stopped", () => failing.incarnation === undefined);
      ann.does(set("/x", "3"));
      story.start(failing);
      story.untilWell();
      story.expectEverywhere("/x", "3");
    },
  },
];
