/** What happens to the processes of a campaign and to the nodes: they stand still, are cut off, and die. A seed decides all of it. */
import type { SeededRandomness } from "../../../runtime/testing/virtual-clock.ts";
import type { Client, TestEnsemble } from "../../../testing/ensemble.ts";

/** The process of a client. */
export type Target = {
  /** That of its present session, if it has one. */
  readonly client: Client | undefined;
  /** It has something that others want: it is aimed at first. */
  readonly isHolding: boolean;
  readonly pause: (ms: number) => Promise<void>;
};

export async function playFaults(
  ensemble: TestEnsemble,
  targets: readonly Target[],
  { count, random }: { readonly count: number; readonly random: SeededRandomness },
): Promise<void> {
  const pick = (below: number): number => Math.floor(random.random() * below);
  for (let fault = 0; fault < count; fault += 1) {
    await ensemble.advance(1 + Math.floor(random.random() ** 2 * 4_000));
    await ensemble.advance(await inject(ensemble, targets, pick));
  }
  await repair(ensemble);
}

async function repair(ensemble: TestEnsemble): Promise<void> {
  await ensemble.heal();
  for (const { id, status } of ensemble.nodes) if (status === "down") await ensemble.restart(id);
}

/** Returns for how long it is to last at least, in milliseconds: a session does not end before its time. */
async function inject(
  ensemble: TestEnsemble,
  targets: readonly Target[],
  pick: (below: number) => number,
): Promise<number> {
  const holders = targets.filter(({ isHolding }) => isHolding);
  const aims = holders.length > 0 && pick(3) > 0 ? holders : targets;
  const target = aims[pick(aims.length)] as Target;
  const lastsMs = pick(2) * (3_000 + pick(5_000));
  const node = 1 + pick(3);
  const isDown = ensemble.nodes[node - 1]?.status === "down";
  switch (pick(8)) {
    case 0:
    case 1:
      await target.pause(200 + pick(12_000));
      return 0;
    case 2:
      if (target.client !== undefined) await ensemble.partition([target.client]);
      return lastsMs;
    case 3: {
      const near = target.client === undefined ? [] : [target.client];
      await ensemble.partition([node, ...near]);
      return lastsMs;
    }
    case 4:
      if (isDown) await ensemble.restart(node);
      else await ensemble.kill(node);
      return 0;
    case 5:
      if (!isDown) await ensemble.pause(node, 200 + pick(8_000));
      return 0;
    case 6:
      await target.pause(4_000 + pick(8_000));
      return 0;
    default:
      await repair(ensemble);
      return 0;
  }
}
