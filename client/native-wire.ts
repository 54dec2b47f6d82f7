/** A session over NATS. */
import { type Channel, SessionDriver } from "./driver.ts";
import { type NatsChannel, type NatsChannelOptions, openNatsChannel } from "./nats-channel.ts";
import type { SessionOptions } from "./session/messages.ts";
import { type Environment, REAL_ENVIRONMENT } from "./session-driver.ts";
import { connectedWithin, SessionWire } from "./session-wire.ts";
import type { WireFeatures } from "./wire.ts";

const FEATURES: WireFeatures = {
  exactlyOnce: true,
  pages: true,
  wideOperations: true,
  everyChange: true,
};

/**
 * The bounds of the silence after which a NATS server is left: a server that only pauses must not be taken for hung, and a hung one must
 * not stay in use because the session timeout is long.
 */
const SILENCE_MS_MIN = 1_000;
const SILENCE_MS_MAX = 6_000;

/** What a session over NATS uses of its connection. */
export type NativeChannel = Channel & Pick<NatsChannel, "maxPayloadBytes">;

export class NativeWire extends SessionWire {
  readonly features: WireFeatures = FEATURES;
  readonly #channel: NativeChannel;

  constructor(
    channel: NativeChannel,
    session: SessionOptions,
    environment: Environment = REAL_ENVIRONMENT,
  ) {
    super(environment, (handlers) => {
      return new SessionDriver({ channel, environment, session, ...handlers });
    });
    this.#channel = channel;
  }

  get requestBytesMax(): number {
    return this.#channel.maxPayloadBytes;
  }
}

/** Opens a session over NATS. Rejects with UnreachableError, whose message says what to check. */
export async function openNativeWire(
  options: Omit<NatsChannelOptions, "silenceMs"> & Omit<SessionOptions, "streamCredits">,
): Promise<NativeWire> {
  const { ensemble, timeoutMs, sessionTimeoutMs, operationTimeoutMs, proofs = [] } = options;
  const silenceMs = silenceMsOf(sessionTimeoutMs);
  const channel = await openNatsChannel({ ...options, silenceMs });
  const wire = new NativeWire(channel, { ensemble, sessionTimeoutMs, operationTimeoutMs, proofs });
  await connected(wire, timeoutMs, ensemble);
  return wire;
}

/**
 * Up to a third of the session timeout may have passed since the client last sent anything. After a further third of silence, the last
 * third remains to connect to another NATS server.
 */
function silenceMsOf(sessionTimeoutMs: number): number {
  return Math.min(Math.max(Math.floor(sessionTimeoutMs / 3), SILENCE_MS_MIN), SILENCE_MS_MAX);
}

/** Resolves when the session is connected. Otherwise it ends the session, and rejects with the reason. */
export async function connected(
  wire: NativeWire,
  timeoutMs: number,
  ensemble: string,
): Promise<void> {
  await connectedWithin(wire, timeoutMs, {
    to: `ensemble "${ensemble}"`,
    check: "its nodes run, use this NATS server, and have this ensemble's name",
  });
}
