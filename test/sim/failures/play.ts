/**
 * One actor after the other fails over each message that it takes, before its step, after it, and at an effect of it. Everything must
 * be well again, and stay so, and the actor is needed for that.
 */
import type { StepPoint } from "../../../runtime/system.ts";
import { must } from "../checks/violation.ts";
import { messageKey, type SimNode } from "../sim-node.ts";
import { checkAdmin } from "./admin.ts";
import { MESSAGES, type Way } from "./messages.ts";
import { Scene } from "./scene.ts";
import { KEEPS_STATE, type Survivor } from "./survivors.ts";

const POINTS: readonly StepPoint[] = ["before", "decided", "effect"];
/** By then it has come, or what brings it about is done again. */
const COMES_MS = 3000;
const TIMES = 5;
/** In one run after the other. */
const SCENE_CASES = 12;
/** A step without an effect cannot fail at one. */
const EFFECT_MS = 500;

export type Played = { readonly failures: number; readonly virtualMs: number };

export type Case = {
  readonly actor: Survivor;
  readonly over: string;
  readonly way: Way;
  readonly at: StepPoint;
};

/** Every message of the actor, in every way, at every point. */
export function casesOf(actor: Survivor): readonly Case[] {
  return Object.entries(MESSAGES[actor]).flatMap(([over, how]) => {
    const ways = typeof how === "function" ? [{ what: "", bring: how, is: () => true }] : how;
    return ways.flatMap((way) => POINTS.map((at) => ({ actor, over, way, at })));
  });
}

/** Every message of the cases, in every way, at one of the points, which take turns. */
export function oneOfEach(cases: readonly Case[]): readonly Case[] {
  const { length } = POINTS;
  return cases.filter((_, index) => index % length === Math.floor(index / length) % length);
}

/** Throws the first violation. */
export function playFailures(seed: number, cases: readonly Case[]): Played {
  const played = { failures: 0, virtualMs: 0 };
  for (let from = 0; from < cases.length; from += SCENE_CASES) {
    const part = playScene(seed + from / SCENE_CASES, cases.slice(from, from + SCENE_CASES));
    played.failures += part.failures;
    played.virtualMs += part.virtualMs;
  }
  return played;
}

function playScene(seed: number, cases: readonly Case[]): Played {
  const scene = new Scene(seed);
  let failures = 0;
  for (const each of cases) {
    try {
      failures += play(scene, each);
    } catch (error) {
      if (error instanceof Error) error.message = `${textOf(each)}: ${error.message}`;
      throw error;
    }
  }
  scene.end();
  return { failures, virtualMs: scene.cluster.clock.nowMs() };
}

function textOf({ actor, over, way, at }: Case): string {
  return `${actor} over ${over}${way.what === "" ? "" : ` (${way.what})`}, ${at}`;
}

function play(scene: Scene, of: Case): number {
  const failed = failOne(scene, of);
  scene.goOn();
  scene.heal();
  scene.well();
  if (failed === undefined) return 0;
  const keepsState = KEEPS_STATE.has(of.actor);
  if (!keepsState || of.at !== "effect") scene.calm();
  if (of.actor === "admin") checkAdmin(scene, failed);
  // For an actor that goes on with the state that it has, how it is needed is seen in one case of three.
  else if (!keepsState || of.at === "decided") scene.election(failed);
  return 1;
}

/** Undefined: such a message came, and its step had no effect that could fail. */
function failOne(scene: Scene, { actor, over, at, way }: Case): SimNode | undefined {
  const { nodes } = scene;
  const before = new Map(nodes.map((node) => [node, node.stateOf(actor)]));
  let came = false;
  let failed: SimNode | undefined;
  const disarm = (): void => {
    for (const node of nodes) node.failing.delete(actor);
  };
  for (const node of nodes) {
    node.failing.set(actor, {
      at,
      over: (message) => messageKey(message) === over && way.is(message, node),
      onCame: () => {
        came = true;
      },
      onFails: () => {
        failed = node;
        disarm();
      },
    });
  }
  for (let time = 0; time < TIMES && !came; time += 1) {
    way.bring(scene);
    for (let ms = 0; ms < COMES_MS && !came; ms += 10) scene.run(10);
  }
  must(came, "liveness", () => "it never came");
  for (let ms = 0; ms < EFFECT_MS && failed === undefined; ms += 10) scene.run(10);
  disarm();
  must(failed !== undefined || at === "effect", "liveness", () => "it did not fail");
  const isAnew = failed !== undefined && failed.stateOf(actor) !== before.get(failed);
  must(isAnew || failed === undefined || KEEPS_STATE.has(actor), "liveness", () => {
    return "it was not started again";
  });
  return failed;
}
