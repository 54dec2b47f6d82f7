/** Who leads, and what becomes of who led. */
import type { StoryCase } from "./story.ts";
import { create, set } from "./story-client.ts";

export const ELECTIONS: readonly StoryCase[] = [
  {
    name: "leader-killed",
    title: "when the leader is killed another node leads, with all that was acknowledged",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      story.kill(leader);
      story.untilReplaced(leader);
      ann.does(set("/x", "2"));
      story.start(leader);
      story.untilWell();
      story.expectFollows(leader, story.leader);
      story.expectEverywhere("/x", "2");
    },
  },
  {
    name: "leader-heard-by-nobody",
    title: "a leader that nobody hears is replaced, and follows when it is heard again",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      story.mute(leader);
      story.untilReplaced(leader);
      const next = story.leader;
      story.expect("the one before has given up", !leader.leads);
      story.heal();
      story.untilWell();
      story.expectLeader(next);
      story.expectFollows(leader, next);
    },
  },
  {
    name: "leader-hears-nobody",
    title: "a leader that hears nobody gives up leading, though all hear it",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      story.deafen(leader);
      story.until("it has given up", () => !leader.leads);
      story.untilReplaced(leader);
      const next = story.leader;
      story.heal();
      story.untilWell();
      story.expectFollows(leader, next);
    },
  },
  {
    name: "leader-stands-still",
    title:
      "a leader that stood still finds itself deposed, and nothing of its epoch is taken any more",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [other] = story.others(leader);
      story.pause(leader);
      story.untilReplaced(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "by the next leader"));
      story.resume(leader);
      story.untilWell();
      story.expectFollows(leader, story.leader);
      story.expectData(leader, "/x", "by the next leader");
    },
  },
  {
    name: "minority-with-leader",
    title: "a leader with one follower of five commits nothing, and the other three go on",
    nodes: 5,
    tell: (story) => {
      const { leader } = story;
      const [companion, , third] = story.others(leader);
      const ann = story.client("ann", { at: companion });
      const ben = story.client("ben", { at: third });
      story.part(leader, companion);
      const lost = ann.sends(create("/x", "ann's"));
      story.untilReplaced(leader);
      ben.does(create("/x", "ben's"));
      story.expect("ann has no answer", lost.code === undefined);
      story.heal();
      story.until("ann is answered", () => lost.code !== undefined);
      story.expect("hers came second", lost.code === "nodeExists");
      story.untilWell();
      story.expectEverywhere("/x", "ben's");
    },
  },
  {
    name: "two-candidates",
    title: "of two candidates for one epoch at most one leads in it",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      story.stand(one, two);
      story.untilEpoch(3);
      story.untilWell();
      story.expect("one node leads", story.nodes.filter(({ leads }) => leads).length === 1);
    },
  },
  {
    name: "short-log-stands",
    title:
      "a node whose log lacks what is committed does not come to lead, though it becomes a candidate",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [lagging, other] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      story.isolate(lagging);
      ann.does(create("/x", "committed without it"));
      story.kill(leader);
      story.heal();
      story.stand(lagging);
      story.untilReplaced(leader);
      story.expectLeader(other);
      story.expectData(other, "/x", "committed without it");
    },
  },
  {
    name: "bridge",
    title: "two nodes that do not reach each other go on through the one that both reach",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: one });
      story.cut(one, two);
      ann.does(create("/x", "1"));
      story.wait(3000);
      story.expectLeader(leader);
      story.expectEverywhere("/x", "1");
    },
  },
  {
    name: "all-restart",
    title: "when the power of all nodes fails at once, what was acknowledged is there afterwards",
    nodes: 3,
    tell: (story) => {
      const ann = story.client("ann", { at: story.leader });
      ann.does(create("/x", "1"));
      story.powerFailure(...story.nodes);
      story.start(...story.nodes);
      story.untilWell();
      story.expectEverywhere("/x", "1");
    },
  },
  {
    name: "alone",
    title: "an ensemble of one leads by itself, and again after it was killed",
    nodes: 1,
    tell: (story) => {
      const { leader } = story;
      const ann = story.client("ann", { at: leader });
      ann.does(create("/x", "1"));
      story.kill(leader);
      story.start(leader);
      story.untilWell();
      story.expectData(leader, "/x", "1");
    },
  },
];
