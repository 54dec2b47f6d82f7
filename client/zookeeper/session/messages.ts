/**
 * What a session over ZooKeeper's protocol is told and asks for beside what every session is (`client/session/messages.ts`), as plain data.
 */
import type { Change } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { CommonEffect, CommonMessage } from "../../session/messages.ts";

export type Host = { readonly host: string; readonly port: number };

export type SessionOptions = {
  /** At least one. */
  readonly hosts: readonly Host[];
  /** What stands before every path, such as `/app`; empty: nothing does. */
  readonly chroot: string;
  readonly sessionTimeoutMs: number;
  readonly operationTimeoutMs: number;
  /** What proves the client's identities of the scheme `digest`, on each connection. */
  readonly proofs: readonly Uint8Array[];
  /** The client logs in by SASL on each connection, before it asks for anything. */
  readonly sasl: boolean;
  /** How many changes may be under way to a subscriber. Default 8,192. */
  readonly streamCredits?: number;
};

export type Subscribe = {
  readonly kind: "subscribe";
  readonly subscription: number;
  readonly path: string;
  readonly recursive: boolean;
  readonly after: Zxid;
  /** The subscriber knows what was there then, so that a gap is to be told. */
  readonly isExact: boolean;
};

/** What happens to connections. `connection` is the number under which something was asked for. */
export type ChannelEvent =
  /** The addresses that the host's name stands for now. */
  | {
      readonly kind: "resolved";
      readonly connection: number;
      readonly addresses: readonly string[];
    }
  | { readonly kind: "opened"; readonly connection: number }
  | { readonly kind: "received"; readonly connection: number; readonly bytes: Uint8Array }
  /** There are no addresses, nobody listens, or the connection has ended. */
  | { readonly kind: "gone"; readonly connection: number; readonly reason: string }
  /** What to say next in the login. */
  | { readonly kind: "solved"; readonly connection: number; readonly step: LoginStep };

export type LoginStep =
  | { readonly kind: "token"; readonly token: Uint8Array }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly reason: string };

export type SessionMessage =
  | ChannelEvent
  | CommonMessage
  | Subscribe
  /** So many changes that were delivered have been consumed. */
  | { readonly kind: "consumed"; readonly subscription: number; readonly changes: number };

export type SessionEffect =
  | CommonEffect
  /** The answer is `resolved` or `gone`. */
  | { readonly kind: "resolve"; readonly connection: number; readonly host: string }
  /** The answer is `opened` or `gone`. `host` is what the certificate of the server is for. */
  | {
      readonly kind: "dial";
      readonly connection: number;
      readonly host: string;
      readonly address: string;
      readonly port: number;
    }
  /** All of it in one write. */
  | { readonly kind: "send"; readonly connection: number; readonly frames: readonly Uint8Array[] }
  /** Nothing more is said on the connection, and nothing more is heard of it. */
  | { readonly kind: "hangUp"; readonly connection: number }
  /** What the server says in the login; the answer is `solved`. */
  | { readonly kind: "solve"; readonly connection: number; readonly challenge: Uint8Array }
  /** A portion for a subscriber. The answer is `consumed`. */
  | {
      readonly kind: "deliver";
      readonly subscription: number;
      readonly changes: readonly Change[];
      readonly through: Zxid;
    };
