/** The sessions of a migration with both ensembles. */
import {
  ConnectionLossError,
  OperationTimeoutError,
  SessionExpiredError,
  ThrottledError,
  UnreachableError,
} from "../../client/connect.ts";
import { isZooKeeperUrl } from "../../client/zookeeper/url.ts";
import { open, type Target } from "../console/connection.ts";
import type { KnownLifetimes } from "./lifetimes.ts";
import { UnsettledError } from "./mirror.ts";
import type { Side } from "./znode.ts";

export type Sides = { readonly source: Side; readonly target: Side };

export async function openSides(
  of: { readonly source: Target; readonly target: Target },
  lifetimes: KnownLifetimes,
  signal: AbortSignal,
): Promise<Sides> {
  const source = await open(of.source, signal);
  try {
    const target = await open(of.target, signal);
    return {
      source: { client: source, tellsLifetimes: !isZooKeeperUrl(of.source.url), lifetimes },
      target: {
        client: target,
        tellsLifetimes: !isZooKeeperUrl(of.target.url),
        lifetimes: undefined,
      },
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

export async function closeSides({ source, target }: Sides): Promise<void> {
  await Promise.allSettled([source.client.close(), target.client.close()]);
}

/** An ensemble was away, or slow: with new sessions it may go on. */
export function isPassing(error: unknown): boolean {
  return [
    ...[ConnectionLossError, OperationTimeoutError, SessionExpiredError],
    ...[ThrottledError, UnreachableError, UnsettledError],
  ].some((each) => error instanceof each);
}
