/** An actor whose failure stops its node fails, on a follower and on the leader: nothing of the node is done after that. */
import type { StepPoint } from "../../../runtime/system.ts";
import { must } from "../checks/violation.ts";
import { Scene } from "./scene.ts";

const STOPS_MS = 5000;
const DOWN_MS = 2000;

/** Throws the first violation. */
export function playStops(seed: number, actor: string): void {
  const scene = new Scene(seed);
  for (const leads of [false, true]) {
    for (const at of ["before", "decided", "effect"] as const) {
      // A follower's sessions actor does nothing.
      if (at === "effect" && !leads && actor === "sessions") continue;
      stopOne(scene, { actor, at, leads });
      scene.heal();
      scene.well();
    }
  }
  scene.calm();
  scene.end();
}

function stopOne(
  scene: Scene,
  of: { readonly actor: string; readonly at: StepPoint; readonly leads: boolean },
): void {
  const { actor, at, leads } = of;
  const node = leads ? scene.leader : scene.followers[0];
  if (node?.incarnation === undefined) throw new Error("the node is down");
  const { incarnation } = node;
  const after: string[] = [];
  let failed = false;
  for (const system of new Set(incarnation.threads.systems.values())) {
    system.steps$.subscribe((step) => {
      if (failed) after.push(step.actor);
    });
  }
  node.mayStop = true;
  node.failing.set(actor, {
    at,
    onFails: () => {
      failed = true;
    },
  });
  // Sessions come and go.
  scene.moveClients();
  scene.until(`${actor} fails`, () => failed, STOPS_MS);
  must(
    node.incarnation === undefined,
    "liveness",
    () => `node ${node.id} goes on without its ${actor}`,
  );
  scene.run(DOWN_MS);
  must(after.length === 0, "liveness", () => `node ${node.id} goes on: ${after.join(" ")}`);
}
