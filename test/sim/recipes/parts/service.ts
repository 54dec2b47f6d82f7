/**
 * Discovery of services: whoever follows a service ends with the instances that are registered, as they say of themselves at last, and
 * picks each of them in its turn. What is no instance is never seen.
 */
import type { Member, Service, ServiceInstance } from "../../../../client/connect.ts";
import { SessionExpiredError } from "../../../../protocol/errors.ts";
import type { Client } from "../../../../testing/ensemble.ts";
import type { Violated } from "../holders.ts";
import {
  namesBelow,
  noting,
  overAndOver,
  type Part,
  type Surroundings,
  type User,
  violatedAt,
} from "../part.ts";

type Payload = { readonly at: number };
type Instances = readonly ServiceInstance<Payload>[];
type Registered = Member<ServiceInstance<Payload>>;
type Follower = {
  readonly service: Service<Payload>;
  instances: Instances;
  /** What the follower's own process has registered. */
  member: Registered | undefined;
};

const PATH = "/discovery/all";
const NO_INSTANCE = "no-instance";
const PATIENCE_MS = 10_000;

export class ServicePart implements Part {
  readonly #surroundings: Surroundings;
  readonly #violated: Violated;
  readonly #followers = new Map<User, Follower>();
  #updates = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#violated = violatedAt("service", surroundings);
  }

  async prepare(witness: Client): Promise<void> {
    await witness.create(`${PATH}/${NO_INSTANCE}`, "{", { parents: true });
  }

  async use(user: User): Promise<void> {
    const service = user.client.service<Payload>(PATH);
    const follower: Follower = { service, instances: [], member: undefined };
    this.#followers.set(user, follower);
    service.instances$.subscribe({
      next: noting((instances: Instances) => {
        this.#surroundings.figures.add("lists of instances");
        if (instances.some(({ id }) => id === NO_INSTANCE)) this.#violated("it lists no instance");
        follower.instances = instances;
      }),
      error: noting((error: unknown) => {
        if (!(error instanceof SessionExpiredError))
          this.#violated(`${user.name} follows no longer: ${String(error)}`);
      }),
    });
    await overAndOver(user, 2_500, async () => {
      const { member } = follower;
      if (member === undefined || member.signal.aborted) {
        follower.member = await this.#registered(user, service);
      } else if (user.random.random() < 0.3) {
        follower.member = undefined;
        await member.leave();
      } else {
        await member.update(this.#instance(member.name));
      }
    });
  }

  async #registered(user: User, service: Service<Payload>): Promise<Registered> {
    // Two who take each other's place now and then.
    const id = user.random.random() < 0.3 ? "shared" : user.name;
    const { address, payload } = this.#instance(id);
    return service.register({ id, address, payload }, { waitMs: 3_000 });
  }

  #instance(id: string): ServiceInstance<Payload> {
    this.#updates += 1;
    const payload = { at: this.#updates };
    return { name: "all", id, address: "a", port: null, payload, serviceType: "DYNAMIC" };
  }

  async checkEnd(users: readonly User[], witness: Client): Promise<void> {
    const present = await this.#registeredNow(witness);
    for (const id of present.keys()) {
      const isSomebodys = users.some((user) => this.#followers.get(user)?.member?.name === id);
      if (!isSomebodys) this.#violated(`${id} is registered, and nobody knows that it is`);
    }
    await this.#allSee(users, present);
    const late = await witness
      .service<Payload>(PATH)
      .register({ id: "late", address: "b", payload: { at: 0 } });
    await this.#allSee(users, await this.#registeredNow(witness));
    for (const changes of [1, 2, 3, 4]) {
      // The last of them comes while a follower reads what the one before has changed.
      for (let change = 0; change < changes; change += 1) await late.update(this.#instance("late"));
      await this.#allSee(users, await this.#registeredNow(witness));
    }
    const { size } = await this.#registeredNow(witness);
    for (const user of users) await this.#picks(user, size);
    await late.leave();
    await this.#allSee(users, await this.#registeredNow(witness));
  }

  async #registeredNow(witness: Client): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const name of await namesBelow(witness, PATH)) {
      if (name === NO_INSTANCE) continue;
      const { data } = await witness.get(`${PATH}/${name}`);
      const { payload } = JSON.parse(new TextDecoder().decode(data ?? undefined)) as {
        readonly payload: Payload;
      };
      found.set(name, String(payload.at));
    }
    return found;
  }

  async #allSee(users: readonly User[], registered: ReadonlyMap<string, string>): Promise<void> {
    const wanted = textOf(registered);
    const seen = ({ instances }: Follower): string =>
      textOf(instances.map(({ id, payload }) => [id, String(payload.at)] as const));
    const followers = users.flatMap((user) => this.#followers.get(user) ?? []);
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += 100) {
      if (followers.every((follower) => seen(follower) === wanted)) return;
      await this.#surroundings.ensemble.advance(100);
    }
    this.#violated(`there are ${wanted}, and seen are ${followers.map(seen).join(" / ")}`);
  }

  async #picks(user: User, count: number): Promise<void> {
    const service = this.#followers.get(user)?.service;
    if (service === undefined) return;
    const picked = new Set<string>();
    for (let pick = 0; pick < count; pick += 1) picked.add((await service.pick()).id);
    if (picked.size < count) {
      this.#violated(`${user.name} picks ${picked.size} of ${count} instances in ${count} turns`);
    }
    service[Symbol.dispose]();
  }
}

function textOf(entries: Iterable<readonly [string, string]>): string {
  return [...entries]
    .map(([id, at]) => `${id}=${at}`)
    .toSorted()
    .join(" ");
}
