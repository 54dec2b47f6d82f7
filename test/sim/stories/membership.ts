/** Which folders belong together: ensembles that are founded, and starts that are wrong. */
import type { SimNode } from "../sim-node.ts";
import type { Story, StoryCase } from "./story.ts";
import { create, set } from "./story-client.ts";

type Three = readonly [SimNode, SimNode, SimNode];

function ensembleOf({ logSync }: SimNode): string | undefined {
  return logSync?.membership.settled?.ensembleId;
}

function voterOf(story: Story, { id }: SimNode): string | undefined {
  const voters = story.leader.logSync?.membership.settled?.voters ?? [];
  return voters.find((voter) => voter.id === id)?.identity;
}

export const MEMBERSHIP: readonly StoryCase[] = [
  {
    name: "founded",
    title:
      "three nodes with empty folders found one ensemble as soon as all of them are there, and not before",
    nodes: 3,
    fromNothing: true,
    tell: (story) => {
      const [one, two, three] = story.nodes as Three;
      story.start(one, two);
      story.wait(5000);
      story.expect(
        "two found nothing",
        [one, two].every((node) => ensembleOf(node) === undefined),
      );
      story.start(three);
      story.untilWell();
      const ids = new Set(story.nodes.map(ensembleOf));
      story.expect("all three belong to the same", ids.size === 1 && !ids.has(undefined));
    },
  },
  {
    name: "wrong-members",
    title: "a node that is started with other members than its folder says does not start",
    nodes: 3,
    tell: (story) => {
      const [node] = story.others(story.leader);
      story.kill(node);
      story.step(`node ${node.id} is started with members 1 4 5`);
      node.wrongMembers = [1, 4, 5] as SimNode["id"][];
      story.cluster.start(node);
      story.until("it has stopped", () => node.incarnation === undefined);
      story.start(node);
      story.untilWell();
      story.expect("rightly started it has its vote", node.votes);
    },
  },
  {
    name: "copy-beside",
    title:
      "a process on a copy of a folder that was used since hears so from the others, and stops",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [node, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      story.disks.copy(node);
      story.kill(node);
      story.start(node);
      story.untilWell();
      story.disks.startCopyBeside(node);
      story.until("the copy has stopped", () => !story.cluster.ghosts.hasAny("copy"));
      ann.does(create("/x", "1"));
      story.untilWell();
      story.expect("the node itself goes on", node.votes);
    },
  },
  {
    name: "old-copy-put-back",
    title:
      "a node whose folder is an old copy has no vote before it holds again what it had acknowledged",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [node, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      story.disks.copy(node);
      ann.does(set("/x", "2"));
      story.kill(node);
      story.disks.putBack(node);
      story.start(node);
      story.untilWell();
      story.expectData(node, "/x", "2");
    },
  },
  {
    name: "replaced-while-it-lives",
    title:
      "a process whose number is bound to another folder while it is cut off counts no more, and stops when it hears of it",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [node, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      const before = voterOf(story, node);
      story.disks.replaceLiving(node);
      story.untilWell();
      story.expect("the number is another folder's", voterOf(story, node) !== before);
      ann.does(set("/x", "2"));
      story.disks.meetReplaced();
      story.until("who was replaced has stopped", () => !story.cluster.ghosts.hasAny("replaced"));
      story.expectEverywhere("/x", "2");
    },
  },
  {
    name: "bound-and-not-told",
    title:
      "a voter that has not been told whether a number is another folder's by now learns it from that folder, if nobody else is left to ask",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [node, other] = story.others(leader);
      const ann = story.client("ann", { at: other });
      ann.does(create("/x", "1"));
      story.kill(node);
      story.disks.empty(node);
      story.start(node);
      story.slow(other, leader, 100);
      story.until(`the record that binds the new folder is in the log of node ${other.id}`, () => {
        return (other.logSync?.membership.logged.length ?? 0) > 0;
      });
      story.deafen(other);
      story.until("the new folder knows that it is bound", () => node.votes);
      story.kill(leader);
      story.disks.empty(leader);
      story.heal();
      story.start(leader);
      story.untilWell();
      story.expectEverywhere("/x", "1");
    },
  },
  {
    name: "second-ensemble",
    title:
      "three processes with empty folders and the numbers of an ensemble found no second one within its hearing",
    nodes: 3,
    tell: (story) => {
      const { cluster } = story;
      const [other] = story.others(story.leader);
      const ann = story.client("ann", { at: other });
      story.step("three processes with empty folders are started under the same numbers");
      for (const node of story.nodes) cluster.start(cluster.ghosts.newProcess(node, "rival"));
      cluster.ghosts.meet("rival");
      story.wait(3000);
      const ids = new Set(story.nodes.map(ensembleOf));
      story.expect("the nodes belong to the same as before", ids.size === 1);
      ann.does(create("/x", "1"));
      story.expect("the first goes on", story.leader.established);
    },
  },
];
