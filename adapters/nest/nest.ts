/**
 * `zooid/nest`: a client in NestJS's modules, cron handlers that run in one instance, and a health indicator.
 *
 *     imports: [ScheduleModule.forRoot(), ZooidModule.forRoot({ url: "nats://127.0.0.1:4222" })]
 *
 *     @OnlyOne("nightly")
 *     @Cron("0 3 * * *")
 *     async report() {}
 */
import "reflect-metadata";
import { type DynamicModule, Inject, type OnApplicationShutdown } from "@nestjs/common";
import type { HealthIndicatorResult } from "@nestjs/terminus";
import { BadArgumentsError, Client, connect, type ConnectOptions } from "../../client/connect.ts";
import { isElected, type TicksOptions } from "../ticks.ts";

/** A client, or where to connect to. */
export type ZooidModuleOptions = {
  /** A client of the program's own, which the module does not close. Or: */
  readonly client?: Client;
  /** Where to connect to: the module connects when it is made, and closes the client when the application has shut down. */
  readonly url?: string;
  /** For `connect`. */
  readonly options?: ConnectOptions;
};

/** Closes what the module has opened. */
class Opened implements OnApplicationShutdown {
  readonly #client: Client | undefined;

  constructor(client: Client | undefined) {
    this.#client = client;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#client?.close();
  }
}

/** Provides `Client` and `ZooidHealthIndicator` to all modules. */
export class ZooidModule {
  /**
   * For `imports` of the root module. Throws BadArgumentsError unless there is exactly one of `client` and `url`; the start of the
   * application fails as `connect` does.
   */
  static forRoot({ client, url, options }: ZooidModuleOptions): DynamicModule {
    if ((client === undefined) === (url === undefined)) {
      throw new BadArgumentsError("ZooidModule needs one of `client` and `url`");
    }
    return {
      module: ZooidModule,
      global: true,
      providers: [
        { provide: Client, useFactory: async () => client ?? connect(url ?? "", options) },
        {
          provide: Opened,
          useFactory: (made: Client) => new Opened(client === undefined ? made : undefined),
          inject: [Client],
        },
        {
          provide: ZooidHealthIndicator,
          useFactory: (made: Client) => new ZooidHealthIndicator(made),
          inject: [Client],
        },
      ],
      exports: [Client, ZooidHealthIndicator],
    };
  }
}

/** A health indicator for `@nestjs/terminus`: `health.check([() => zooid.isHealthy()])`. */
export class ZooidHealthIndicator {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * `up` while the client is connected; `degraded` while it connects again, since its session may live; `down` when the session is over.
   * Asks nobody.
   */
  isHealthy(name = "zooid"): HealthIndicatorResult {
    const { kind } = this.#client.state;
    const isOver = kind === "expired" || kind === "closed";
    const status = kind === "connected" ? "up" : isOver ? "down" : "degraded";
    return { [name]: { status, state: kind } };
  }
}

/** Where the znodes of ticks are, and how ticks are told apart. */
export type OnlyOneOptions = TicksOptions & {
  /**
   * Ticks are told apart by their time, which is rounded down to a multiple of this. So a tick must begin in each instance less than this after
   * its moment by the instance's own clock, and ticks must be at least this far apart. Default 1000, which fits `@Cron`, whose ticks
   * begin within `threshold` (250 ms) or not at all.
   */
  readonly everyMs?: number;
};

type Method = (this: object, ...args: unknown[]) => unknown;

const CLIENT: unique symbol = Symbol("zooid/nest: client");
const WITHOUT_CLIENT =
  "`OnlyOne` needs ZooidModule, and a class that Nest makes itself, not a factory";
const EVERY_MS = 1000;
/** A timer may fire a little early. */
const EARLY_MS = 50;

/**
 * A decorator for handlers of `@nestjs/schedule`: of all instances of the program, the one that is first runs a tick, and no other. If it
 * dies before it ends, the tick is not run again. The handler is not called, and `@nestjs/schedule` logs the error, when the
 * ensemble cannot be asked. `name` tells the handler from others. It may stand above or below `@Cron`, and needs `ZooidModule`.
 */
export function OnlyOne(name: string, options: OnlyOneOptions = {}): MethodDecorator {
  const { everyMs = EVERY_MS } = options;
  return (target: object, _property: string | symbol, descriptor: PropertyDescriptor) => {
    const method = descriptor.value as Method;
    Inject(Client)(target, CLIENT);
    const guarded: Method = async function guarded(this: object, ...args) {
      // Programs agree on the moment of a tick by their clocks; nothing else tells it.
      const now = Date.now() + EARLY_MS;
      const client = (this as { readonly [CLIENT]?: Client })[CLIENT];
      if (client === undefined) throw new BadArgumentsError(WITHOUT_CLIENT);
      const atMs = now - (now % everyMs);
      return (await isElected(client, { name, atMs }, options))
        ? method.apply(this, args)
        : undefined;
    };
    for (const each of Reflect.getMetadataKeys(method)) {
      Reflect.defineMetadata(each, Reflect.getMetadata(each, method), guarded);
    }
    descriptor.value = guarded;
    return descriptor;
  };
}
