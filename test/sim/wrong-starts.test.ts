/**
 * Wrong starts as stories: one is played in an ensemble that is written to and in which nothing else is amiss. All invariants are
 * checked meanwhile: nothing acknowledged is lost, and no quorum counts two processes as one voter. The same starts come by
 * chance, among other faults, in the plan `identities`.
 */
import test, { type ExecutionContext } from "ava";
import { ENSEMBLE_WIDE_MS, quietPlan } from "./quiet.ts";
import { Cluster } from "./cluster.ts";
import { Coverage } from "./coverage.ts";
import { identityFaults } from "./faults/identities.ts";
import { Nemesis } from "./faults/nemesis.ts";
import type { Inject } from "./faults/target.ts";
import { Random } from "./random.ts";
import type { SimNode } from "./sim-node.ts";
import { Trace } from "./trace.ts";

const SEEDS = [1] as const;

type Story = {
  readonly cluster: Cluster;
  readonly nemesis: Nemesis;
  readonly faults: ReturnType<typeof identityFaults>;
  /** What nodes said, and what befell them. */
  readonly lines: string[];
};

/** An ensemble of three that has been written to for a while. */
function begin(t: ExecutionContext, seed: number): Story {
  const lines: string[] = [];
  const cluster = new Cluster(
    quietPlan(seed, { nodes: 3, requestsMax: 1_000_000 }),
    (clock) => new Trace(() => clock.nowMs(), false),
    new Coverage(),
  );
  cluster.trace.listener = (line) => lines.push(line);
  const random = new Random(seed).stream(9);
  const nemesis = new Nemesis(cluster, random);
  const later = (afterMs: number, run: () => void): void => {
    cluster.clock.after(afterMs, run);
  };
  const say = (): true => true;
  const faults = identityFaults({ cluster, random, later, say });
  nemesis.begin();
  cluster.run(ENSEMBLE_WIDE_MS);
  t.true(cluster.nodes.every(({ established, votes }) => established && votes));
  return { cluster, nemesis, faults, lines };
}

function play({ cluster, faults }: Story, fault: keyof Story["faults"], node: SimNode): boolean {
  const inject: Inject = faults[fault];
  const [client] = cluster.clients;
  if (client === undefined) throw new Error("no client");
  return inject({ node, other: node, client, anyone: client, forMs: 0 });
}

/** It is over: all are well again, and writes are acknowledged. */
function end(t: ExecutionContext, { cluster, nemesis }: Story): void {
  nemesis.end();
  cluster.run(15_000);
  t.true(cluster.nodes.every(({ established, votes }) => established && votes));
  const { acknowledged } = cluster.counts;
  cluster.run(3000);
  t.true(cluster.counts.acknowledged > acknowledged);
}

function ensembleOf({ logSync }: SimNode): string | undefined {
  return logSync?.membership.settled?.ensembleId;
}

for (const seed of SEEDS) {
  for (const members of [[], [4, 5]] as const) {
    const named = members.length === 0 ? "without members" : "with other members";
    test(`a member that is started ${named} does not start, whoever it is; seed ${seed}`, (t) => {
      const story = begin(t, seed);
      const { cluster, lines } = story;
      const { acknowledged } = cluster.counts;
      for (const node of cluster.nodes) {
        cluster.crash(node, false);
        node.wrongMembers = [node.id, ...members] as (typeof node.id)[];
        cluster.start(node);
        // Some time later it is started rightly.
        cluster.run(6000);
        t.true(cluster.nodes.every((each) => each.established && each.votes));
      }
      const refusals = lines.filter((line) => line.includes("contradicts this start"));
      t.is(refusals.length, 3, lines.slice(-5).join("\n"));
      for (const line of refusals) t.regex(line, /members 1,2,3 in the folder/);
      t.true(cluster.counts.acknowledged > acknowledged);
      end(t, story);
    });
  }

  test(`a second ensemble of the same name does not mix with the first; seed ${seed}`, (t) => {
    const story = begin(t, seed);
    const { cluster, lines } = story;
    const [node] = cluster.nodes as [SimNode];
    const first = ensembleOf(node);
    t.true(play(story, "secondEnsemble", node));
    cluster.ghosts.meet("rival");
    const { acknowledged } = cluster.counts;
    cluster.run(8000);
    t.true(lines.some((line) => line.includes("anotherProcessWithThisId")));
    for (const each of cluster.nodes) t.is(ensembleOf(each), first);
    t.true(cluster.counts.acknowledged > acknowledged, "the first goes on");
    end(t, story);
  });

  test(`who is replaced while it lives counts no more, and what was acknowledged stays; seed ${seed}`, (t) => {
    const story = begin(t, seed);
    const { cluster, lines } = story;
    const [node] = cluster.nodes as [SimNode];
    const replaced = node.logSync?.membership.identity;
    t.true(play(story, "replaceLiving", node));
    cluster.run(10_000);
    cluster.ghosts.meet("replaced");
    cluster.run(5000);
    t.true(lines.some((line) => line.includes("left beside another process, stops")));
    for (const { logSync } of cluster.nodes) {
      const voters = logSync?.membership.settled?.voters ?? [];
      t.is(voters.length, 3);
      t.false(voters.some(({ identity }) => identity === replaced));
    }
    end(t, story);
  });

  test(`a copy of a folder is not started beside its original; seed ${seed}`, (t) => {
    const story = begin(t, seed);
    const { cluster, lines } = story;
    const [node] = cluster.nodes as [SimNode];
    t.true(play(story, "copyBeside", node));
    cluster.run(6000);
    t.true(lines.some((line) => /left beside another process, stops: .*older/.test(line)));
    end(t, story);
  });
}
