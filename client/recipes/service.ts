/** Discovery of services: instances register, callers pick one. Source: Curator's `curator-x-discovery`, whose layout and JSON this has. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Observable, Subscription } from "rxjs";
import { firstValueFrom } from "rxjs/internal/firstValueFrom";
import { filter } from "rxjs/internal/operators/filter";
import { map } from "rxjs/internal/operators/map";
import { ReplaySubject } from "rxjs/internal/ReplaySubject";
import { checkOptions } from "../../protocol/arguments.ts";
import { BadArgumentsError } from "../../protocol/errors.ts";
import { nameOf } from "../../protocol/paths.ts";
import type { Client } from "../client.ts";
import { json, Key } from "../values.ts";
import type { CallOptions } from "../wire.ts";
import { checkWait } from "./arguments.ts";
import { NoInstanceError } from "./errors.ts";
import { join, type Member, Members } from "./members.ts";
import { uniqueName } from "./unique.ts";
import type { WaitOptions } from "./wait.ts";
import { within } from "./within.ts";

/** Fields that Curator has and others need not have. */
type Optional = {
  /** The port for TLS; null or undefined: there is none. */
  readonly sslPort?: number | null | undefined;
  /** Curator's template of the instance's URI, which zooid stores and does not read. */
  readonly uriSpec?: unknown;
  /** Unix milliseconds. Default 0; the `ctime` of the instance's znode says it, too. */
  readonly registrationTimeUTC?: number | undefined;
  /** False: it is listed and not picked. Default true. */
  readonly enabled?: boolean | undefined;
};

/** An instance of a service, as it says it of itself. Source: the JSON of Curator's ServiceInstance. */
export type ServiceInstance<Payload> = Optional & {
  /** The service's: the last part of its path. */
  readonly name: string;
  /** Which of the service's instances it is; its znode has this name. */
  readonly id: string;
  /** The name of its host, or its address, without a port. */
  readonly address: string;
  /** The port without TLS; null: there is none. */
  readonly port: number | null;
  /** Whatever else callers are to know, such as its zone. */
  readonly payload: Payload;
  /** Curator's ServiceType. It is `DYNAMIC` for what `register` makes: an instance that goes with its session. */
  readonly serviceType: string;
};

/** What an instance says of itself. */
export type Registration<Payload> = Optional & {
  /** The name of its host, or its address, without a port. */
  readonly address: string;
  /** The port without TLS. Default: there is none. */
  readonly port?: number | null | undefined;
  /** Whatever else callers are to know, such as its zone. */
  readonly payload: Payload;
  /** Default: a name that nobody else has. */
  readonly id?: string | undefined;
};

/** How `pick` chooses among instances that are alike: see `balance` of ServiceOptions. */
export type Balance = "round-robin" | "random" | "least-busy";

/** What a service's instances say of themselves, and how one is chosen. */
export type ServiceOptions<Payload = unknown, Given = Payload> = {
  /** What `payload` is. Instances with another one are not seen. Default: anything. */
  readonly schema?: StandardSchemaV1<Given, Payload> | undefined;
  /**
   * Which instance is picked: each in its turn, any, or one of those that this client uses least at the moment, so callers release what they
   * have picked. Default `round-robin`.
   */
  readonly balance?: Balance | undefined;
  /**
   * Instances with these values in their payload are picked before all others, as `{ zone: "a" }`. Where none of them is left, any other
   * is. Default: all are alike.
   */
  readonly prefer?: Readonly<Record<string, unknown>> | undefined;
};

/** How an instance is picked. */
export type PickOptions = {
  /** When it aborts, the call is rejected with AbortedError. Default: nothing aborts it. */
  readonly signal?: AbortSignal | undefined;
  /** How many milliseconds it waits for an instance to come. Default 0: it is rejected with NoInstanceError if there is none. */
  readonly waitMs?: number | undefined;
  /** Ids of instances, or instances, that are not to be picked: those that have just failed. */
  readonly exclude?: Iterable<string | { readonly id: string }> | undefined;
};

/** An instance that was picked. `using` releases it at the end of the block. */
export type Picked<Payload> = ServiceInstance<Payload> & {
  /** The call to the instance is over: `least-busy` counts it no longer. */
  readonly release: () => void;
  /** The same as `release`, for `using`. */
  readonly [Symbol.dispose]: () => void;
};

type Instances<Payload> = readonly ServiceInstance<Payload>[];

const BALANCES: readonly string[] = ["round-robin", "random", "least-busy"];

/**
 * A service as this client knows it. The list is followed from the first `pick`, so that a pick asks nobody; while the ensemble is away the
 * last list is used. An instance that dies is in the list until its session is over: try another one, with `exclude`.
 */
export class Service<Payload, Given = Payload> {
  /** The znode below which the instances are. */
  readonly path: string;
  readonly #client: Client;
  readonly #key: Key<ServiceInstance<Payload>, ServiceInstance<Given>>;
  readonly #members: Members<ServiceInstance<Payload>>;
  readonly #options: ServiceOptions<Payload, Given>;
  readonly #busy = new Map<string, number>();
  #latest: ReplaySubject<Instances<Payload>> | undefined;
  #following: Subscription | undefined;
  #last = "";

  constructor(client: Client, path: string, options: ServiceOptions<Payload, Given> = {}) {
    checkOptions("options", options);
    const { balance = "round-robin", schema } = options;
    if (!BALANCES.includes(balance)) {
      throw new BadArgumentsError('`balance` is "round-robin", "random" or "least-busy"');
    }
    this.path = path;
    this.#client = client;
    this.#options = options;
    this.#key = new Key(path, json, instanceSchema(schema));
    this.#members = new Members(client, this.#key);
  }

  /** All instances, at once and after each change, those that are not enabled, too. */
  get instances$(): Observable<Instances<Payload>> {
    return this.#members.members$.pipe(map((members) => members.map(({ value }) => value)));
  }

  /** Reads all instances that there are now, those that are not enabled, too. */
  async instances(options: CallOptions = {}): Promise<Instances<Payload>> {
    const members = await this.#members.list(options);
    return members.map(({ value }) => value);
  }

  /**
   * Others pick this instance until it leaves or its session is over. While another session has an instance with this `id`, the call waits.
   * Rejects with InvalidValueError if the payload is not what the schema says, with NotAcquiredError, and as a create does.
   */
  async register(
    registration: Registration<Given>,
    options: WaitOptions = {},
  ): Promise<Member<ServiceInstance<Given>>> {
    checkOptions("a registration", registration);
    const { id = uniqueName(this.#client.wire.clock) } = registration;
    const instance: ServiceInstance<Given> = {
      name: nameOf(this.path),
      id,
      address: registration.address,
      port: registration.port ?? null,
      sslPort: registration.sslPort ?? null,
      payload: registration.payload,
      registrationTimeUTC: registration.registrationTimeUTC ?? 0,
      serviceType: "DYNAMIC",
      uriSpec: registration.uriSpec ?? null,
      enabled: registration.enabled ?? true,
    };
    return join(this.#client, this.#key, instance, { ...options, name: id });
  }

  /**
   * Picks an instance by `balance` and `prefer`, from the list that is followed since the first pick; that one waits until the list is read.
   * Rejects with NoInstanceError or AbortedError, and when the list cannot be followed.
   */
  async pick(options: PickOptions = {}): Promise<Picked<Payload>> {
    checkWait(this.path, options);
    const { signal, waitMs = 0 } = options;
    const excluded = new Set<string>();
    for (const each of options.exclude ?? [])
      excluded.add(typeof each === "string" ? each : each.id);
    let isListed = false;
    const found = firstValueFrom(
      this.#followed().pipe(
        map((instances) => {
          isListed = true;
          return this.#chosen(instances, excluded);
        }),
        filter((chosen) => chosen !== undefined || (isListed && waitMs === 0)),
      ),
    );
    const limits = waitMs === 0 ? { signal } : { signal, waitMs };
    const chosen = await within(this.#client, found, limits);
    if (chosen === undefined) throw new NoInstanceError(this.path);
    return this.#picked(chosen);
  }

  /** It follows the list no longer; a later pick begins again. */
  [Symbol.dispose](): void {
    this.#following?.unsubscribe();
    this.#latest = undefined;
  }

  #followed(): Observable<Instances<Payload>> {
    if (this.#latest !== undefined) return this.#latest;
    const latest = new ReplaySubject<Instances<Payload>>(1);
    this.#latest = latest;
    this.#following = this.instances$.subscribe({
      next: (instances) => latest.next(instances),
      error: (error: unknown) => {
        if (this.#latest === latest) this.#latest = undefined;
        latest.error(error);
      },
      complete: () => latest.error(this.#client.signal.reason),
    });
    return latest;
  }

  #chosen(
    instances: Instances<Payload>,
    excluded: ReadonlySet<string>,
  ): ServiceInstance<Payload> | undefined {
    const { balance = "round-robin", prefer = {} } = this.#options;
    const able = instances.filter(({ id, enabled = true }) => enabled && !excluded.has(id));
    const preferred = able.filter(({ payload }) => hasAll(payload, prefer));
    const pool = preferred.length > 0 ? preferred : able;
    if (balance === "random")
      return pool[Math.floor(this.#client.wire.clock.random() * pool.length)];
    const busyOf = ({ id }: { readonly id: string }): number => this.#busy.get(id) ?? 0;
    const least = Math.min(...pool.map(busyOf));
    const turn = balance === "least-busy" ? pool.filter((each) => busyOf(each) === least) : pool;
    // By the name of the last one, so that nobody is passed over when others come and go.
    return turn.find(({ id }) => id > this.#last) ?? turn[0];
  }

  #picked(instance: ServiceInstance<Payload>): Picked<Payload> {
    const { id } = instance;
    this.#last = id;
    this.#busy.set(id, (this.#busy.get(id) ?? 0) + 1);
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      const left = (this.#busy.get(id) ?? 0) - 1;
      if (left > 0) this.#busy.set(id, left);
      else this.#busy.delete(id);
    };
    return { ...instance, release, [Symbol.dispose]: release };
  }
}

function hasAll(payload: unknown, wanted: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(wanted).every(
    ([name, value]) =>
      typeof payload === "object" && payload !== null && Reflect.get(payload, name) === value,
  );
}

/** The schema of an instance around the schema of its payload. */
function instanceSchema<Payload, Given>(
  payload: StandardSchemaV1<Given, Payload> | undefined,
): StandardSchemaV1<ServiceInstance<Given>, ServiceInstance<Payload>> {
  return {
    "~standard": {
      version: 1,
      vendor: "zooid",
      validate: async (value) => {
        const problem = instanceProblem(value);
        if (problem !== undefined) return { issues: [{ message: problem, path: [] }] };
        const instance = value as ServiceInstance<Payload>;
        if (payload === undefined) return { value: instance };
        const checked = await payload["~standard"].validate(instance.payload);
        if (checked.issues === undefined) return { value: { ...instance, payload: checked.value } };
        return {
          issues: checked.issues.map(({ message, path = [] }) => ({
            message,
            path: ["payload", ...path],
          })),
        };
      },
    },
  };
}

function instanceProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "not an instance of a service";
  const { id, address, port } = value as Partial<ServiceInstance<unknown>>;
  if (typeof id !== "string" || typeof address !== "string") return "`id` and `address` are text";
  const isPort = port === null || port === undefined || Number.isInteger(port);
  return isPort ? undefined : "`port` is a whole number or null";
}
