/** How a leader hands its office over, and what becomes of writes meanwhile. */
import { encodeCbor } from "../../../protocol/cbor.ts";
import { withBody } from "../../support/frames.ts";
import type { SimNode } from "../sim-node.ts";
import { SESSION_TIMEOUT_MS } from "./plan.ts";
import type { Story, StoryCase } from "./story.ts";
import { create, set } from "./story-client.ts";

/** A handover takes what an election takes whose result is known: two promises and a barrier. */
const AT_ONCE_MS = 40;
/** The first epoch's third record. */
const LAST_ZXID = 2 ** 32 + 3;
/** A leader goes on after a second in which nobody takes over. */
const ABANDONED_MS = 1100;
/** Longer than a handover that is abandoned, and than a node then takes to follow again. */
const LATE_MS = 4000;

export const HANDOVERS: readonly StoryCase[] = [
  {
    name: "handover",
    title: "a leader hands over to the node that is wanted, and the writes that wait are done once",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      ann.does(create("/x", "1"));
      story.handOver(leader, one);
      const write = ann.sends(set("/x", "2", 0));
      story.untilReplaced(leader, AT_ONCE_MS);
      story.expectLeader(one);
      story.expectFollows(leader, one);
      story.until("ann is answered", () => write.isOk);
      story.expectEverywhere("/x", "2");
      story.expect("the old leader is done with it", leader.logSync?.handover === undefined);
    },
  },
  {
    name: "handover-catches-up",
    title:
      "a leader waits with its handover, and takes writes, until the node that is wanted has caught up",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      ann.does(create("/x", "1"));
      story.cut(leader, one);
      ann.does(set("/x", "2"));
      story.handOver(leader, one);
      story.moment();
      ann.does(set("/x", "3"));
      story.expectLeader(leader);
      story.heal();
      story.untilReplaced(leader);
      story.expectLeader(one);
      story.expectEverywhere("/x", "3");
    },
  },
  {
    name: "handover-to-the-last-heard",
    title:
      "a leader that has only just begun hands over to a node of which it has not heard yet, once it has",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      story.slow(two, one, 200);
      story.handOver(leader, one);
      story.untilReplaced(leader, AT_ONCE_MS);
      story.expectLeader(one);
      story.handOver(one, two);
      story.untilReplaced(one);
      story.expectLeader(two);
    },
  },
  {
    name: "handover-waits-for-the-last",
    title: "a leader hands over once the node that is wanted has the last of its records, too",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      ann.does(create("/x", "1"));
      story.slow(leader, one, 30);
      ann.sends(set("/x", "2"));
      story.untilHeld([leader], LAST_ZXID);
      story.handOver(leader, one);
      ann.sends(set("/x", "3"));
      story.untilReplaced(leader);
      story.expectLeader(one);
      story.expectEverywhere("/x", "3");
    },
  },
  {
    name: "handover-abandoned",
    title:
      "a leader whose successor does not take over goes on with the writes that have waited, each once",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      ann.does(create("/x", "1"));
      story.cut(leader, one);
      story.handOver(leader, one);
      story.wait(300);
      const write = ann.sends(set("/x", "2", 0));
      story.moment();
      story.expect("ann waits", write.code === undefined);
      story.untilHandoverEnds(leader, ABANDONED_MS);
      story.expectLeader(leader);
      story.expect("ann is answered", write.isOk);
      story.heal();
      story.untilWell();
      story.expectEverywhere("/x", "2");
    },
  },
  {
    name: "handover-abandoned-with-an-end-of-a-session",
    title: "the end of a session waits for a handover, too, and comes when that is abandoned",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/lock", "ann's", "ephemeral"));
      story.cutClient(ann, one);
      story.wait(SESSION_TIMEOUT_MS - ABANDONED_MS / 2);
      story.cut(leader, two);
      story.handOver(leader, two);
      story.until("the end of ann's session waits", () => {
        return leader.logSync?.handover?.held.some(({ kind }) => kind === "propose") === true;
      });
      story.untilHandoverEnds(leader, ABANDONED_MS);
      story.expectLeader(leader);
      story.expectData(leader, "/lock", undefined);
      story.heal();
      story.untilWell();
      story.expectEverywhere("/lock", undefined);
      story.until("ann has a new session", () => ann.session !== undefined && ann.sim.connected);
    },
  },
  {
    name: "handover-declined",
    title: "a node that is about to stop declines, and another one takes over at once",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      // With equal logs the node of the larger number is asked first.
      const [other, asked] = story.others(leader);
      story.retire(asked);
      story.handOver(leader);
      story.untilReplaced(leader, AT_ONCE_MS);
      story.expectLeader(other);
    },
  },
  {
    name: "takeover-is-late",
    title: "a node that is told to take over after its leader has gone on does not stand",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: leader });
      ann.does(create("/x", "1"));
      story.slow(leader, one, LATE_MS);
      story.handOver(leader, one);
      story.moment();
      story.cut(leader, one);
      story.untilHandoverEnds(leader, ABANDONED_MS);
      story.heal();
      ann.does(set("/x", "2"));
      story.untilWell();
      const { looked } = story;
      story.wait(LATE_MS);
      story.expect("nobody has looked for a leader", story.looked === looked);
      story.expectLeader(leader);
      story.expectEverywhere("/x", "2");
    },
  },
  {
    name: "takeover-not-by-its-leader",
    title: "a node takes over from its leader only",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const { looked } = story;
      pretend(story, two, one);
      story.wait(300);
      story.expect("nobody has looked for a leader", story.looked === looked);
      story.expectLeader(leader);
    },
  },
];

/** A node says what only the leader may say, and all that it says is right. */
function pretend(story: Story, from: SimNode, to: SimNode): void {
  const state = to.logSync;
  const real = story.cluster.network.lastOf(from.id);
  if (state?.role.kind !== "following" || real === undefined) throw new Error("it follows");
  story.step(`node ${from.id}, which does not lead, has node ${to.id} take over`);
  const { epoch } = state.role;
  const { identity: folder } = state.membership;
  const zxid = state.log.index.tail;
  const bytes = withBody(real, encodeCbor({ kind: "takeOver", epoch, folder, zxid }));
  story.cluster.network.forge({ from: from.id, to: to.id, actor: "log-sync", bytes });
}
