/** Checks that a gateway serves a session only through the connection that attached it last, as far as the lane knows. */
import type {
  NatsGatewayMessage,
  ZooKeeperGatewayMessage,
} from "../../../actors/gateway/messages.ts";
import type { NatsGatewayState } from "../../../actors/gateway/nats/gateway.ts";
import type { State as GatewayState } from "../../../actors/gateway/zookeeper/gateway.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import { must } from "./violation.ts";

type Told = WeakMap<object, Map<SessionId, number>>;

export class MovedSessions {
  /** For each gateway, where each session was attached last, as the gateway was told. */
  readonly #told: Told = new WeakMap();

  /** After each step of a gateway of either protocol. */
  saw(
    who: string,
    message: ZooKeeperGatewayMessage | NatsGatewayMessage,
    state: GatewayState | NatsGatewayState,
  ): void {
    if (message.kind !== "sessionChanges" && message.kind !== "written") return;
    const told = this.#told.get(state) ?? new Map<SessionId, number>();
    this.#told.set(state, told);
    if (message.kind === "sessionChanges") {
      for (const { session, attachedAt } of message.attached) told.set(session, attachedAt);
      for (const session of message.closed) told.set(session, Number.POSITIVE_INFINITY);
    }
    for (const connection of state.connections.values()) {
      const { phase } = connection;
      if (phase.kind !== "attached") continue;
      const last = told.get(phase.session) ?? 0;
      must(phase.attachedAt >= last, "one connection", () => {
        const since = `attached there since ${phase.attachedAt}, elsewhere since ${last}`;
        return `${who} serves session 0x${phase.session.toString(16)}, ${since}`;
      });
    }
  }
}
