/** Calls actors directly: with a time that the test sets, and functions that pick effects out of a step. */
import { crc32 } from "node:zlib";
import type { Actor } from "../../runtime/actor.ts";
import type { Effect } from "../../runtime/effects.ts";
import { DrivenActor } from "../../runtime/testing/driven.ts";
import type { Context } from "../../runtime/turn.ts";
import { encodeBatch } from "../../protocol/batch.ts";
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import type { Operation } from "../../protocol/operations.ts";
import { encodeRecord } from "../../protocol/record.ts";
import { epoch, type Zxid, zxidOf } from "../../protocol/zxid.ts";

export class Driven<State, Message extends object, E extends Effect> {
  nowMs = 0;
  /** The random numbers that the actor draws. */
  chance = 0.5;
  /** The effects of the last message. */
  effects: readonly Effect[];
  readonly #driven: DrivenActor<State, Message, E>;

  constructor(actor: Actor<State, Message, E>) {
    this.#driven = new DrivenActor(actor, this.#context());
    this.effects = this.#driven.started;
  }

  get state(): State {
    return this.#driven.state;
  }

  /** The actor's answer to the message: its effects, with its state in `state`. */
  receive(message: Message): readonly Effect[] {
    this.effects = this.#driven.receive(message, this.#context());
    return this.effects;
  }

  #context(): Context {
    return {
      nowMs: this.nowMs,
      wallMs: 1_700_000_000_000 + this.nowMs,
      random: () => this.chance,
      randomBytes: (length) => new Uint8Array(length),
    };
  }
}

/** Messages told to the actor of this name. */
export function told(effects: readonly Effect[], to: string): object[] {
  return effects.flatMap((effect) =>
    effect.kind === "tell" && effect.to === to ? [effect.message] : [],
  );
}

/** Messages sent to this node. */
export function sent(effects: readonly Effect[], to: number): object[] {
  return effects.flatMap((effect) =>
    effect.kind === "send" && effect.to === to ? [effect.message] : [],
  );
}

export function broadcasts(effects: readonly Effect[]): object[] {
  return effects.flatMap((effect) => (effect.kind === "broadcast" ? [effect.message] : []));
}

export function emitted(effects: readonly Effect[], topic: string): object[] {
  return effects.flatMap((effect) =>
    effect.kind === "emit" && effect.topic === topic ? [effect.value] : [],
  );
}

export function timersStarted(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === "startTimer" ? [effect.timer] : []));
}

export function server(id: number): ServerId {
  return id as ServerId;
}

export function at(epochNumber: number, counter: number): Zxid {
  return zxidOf(epoch(epochNumber), counter);
}

/** A record of one operation; `payload` tells records of the same zxid apart. */
export function record(zxid: Zxid, prevZxid: Zxid, payload = "x"): Uint8Array {
  return encodeRecord(
    {
      kind: "batch",
      firstZxid: zxid,
      lastZxid: zxid,
      prevZxid,
      timeMs: 1,
      submitter: undefined,
      seq: 0,
    },
    syncs(1, `/${payload}`),
    crc32,
  );
}

/** A batch of so many operations. */
export function syncs(count: number, path = "/"): Uint8Array {
  const operation: Operation = {
    kind: "client",
    session: 1 as SessionId,
    attachedAt: 1 as Zxid,
    operation: { kind: "sync", path },
  };
  return new Uint8Array(encodeBatch(Array.from({ length: count }, () => operation)));
}
