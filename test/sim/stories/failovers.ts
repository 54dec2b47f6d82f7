/** How a node notices that its leader is gone, and what it must not take for that. */
import type { Story, StoryCase } from "./story.ts";
import { create, set } from "./story-client.ts";

/** Far below the interval of pings, and far above what an election takes here. */
const AT_ONCE_MS = 40;
/** A write is late after 50 ms, 20 of which have passed. */
const LATE_MS = 50;

export const FAILOVERS: readonly StoryCase[] = [
  {
    name: "gone-at-once",
    title: "a write that finds no process at the leader's node makes the others elect at once",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/x", "1"));
      story.wait(1000);
      story.kill(leader);
      const write = ann.sends(set("/x", "2"));
      story.untilReplaced(leader, AT_ONCE_MS);
      story.until("ann is answered", () => write.isOk);
    },
  },
  {
    name: "gone-while-quiet",
    title: "a leader that is killed while nobody writes is replaced after the next ping",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      story.wait(1000);
      story.kill(leader);
      story.untilReplaced(leader, 250 + AT_ONCE_MS);
    },
  },
  {
    name: "write-is-late",
    title: "a write that was lost on its way to a leader that dies is missed soon",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/x", "1"));
      story.wait(1000);
      story.isolate(one);
      const write = ann.sends(set("/x", "2"));
      story.moment();
      story.kill(leader);
      story.heal();
      story.untilReplaced(leader, LATE_MS);
      story.until("ann is answered", () => write.isOk);
    },
  },
  {
    name: "longest-log-heard-last",
    title: "a quorum that agrees waits a little for a node that lives and was not heard",
    nodes: 5,
    tell: (story) => {
      const { leader } = story;
      const [first, ...others] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      for (const other of others) story.cut(leader, other);
      ann.sends(create("/x", "only two have it"));
      story.moment();
      story.kill(leader);
      for (const other of others) story.slow(first, other, 8);
      story.untilReplaced(leader);
      story.expectLeader(first);
    },
  },
  {
    name: "no-process-said-late",
    title: "that a leader's process was gone means nothing once the next one leads again",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      story.slow(leader, one, 900);
      story.kill(leader);
      story.wait(300);
      story.heal();
      story.untilReplaced(leader);
      story.start(leader);
      story.untilWell();
      story.stand(leader);
      story.untilEpoch(3);
      staysCalm(story, () => story.wait(3000));
    },
  },
  {
    name: "follower-stands-still",
    title: "a follower that stood still does not take that for its leader's silence",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      staysCalm(story, () => {
        // What it is told meanwhile is read only after its timers, as by a process that was stopped.
        story.clog(leader, one);
        story.wait(300);
        story.pause(one);
        story.wait(650);
        story.resume(one);
        story.heal();
        story.wait(1000);
      });
    },
  },
  {
    name: "leader-stands-still-briefly",
    title: "a leader that stands still for less than the patience of its followers goes on leading",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      staysCalm(story, () => {
        for (let times = 0; times < 3; times += 1) {
          story.pause(leader);
          story.wait(450);
          story.resume(leader);
          story.wait(100);
        }
      });
    },
  },
  {
    name: "leader-is-silent",
    title: "a leader that stands still for longer than that is replaced within a second",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      story.wait(1000);
      story.pause(leader);
      story.untilReplaced(leader, 1000);
      story.resume(leader);
      story.untilWell();
      story.expectFollows(leader, story.leader);
    },
  },
];

/** Nobody looks for a leader meanwhile. */
function staysCalm(story: Story, meanwhile: () => void): void {
  const { leader } = story;
  const { looked } = story;
  meanwhile();
  story.expect("nobody has looked for a leader", story.looked === looked);
  story.expectLeader(leader);
}
