/** Groups: who takes part, and who that is now. Sources: Curator's GroupMember, kazoo's `recipe/party.py`. */
import { Observable } from "rxjs/internal/Observable";
import { share } from "rxjs/internal/operators/share";
import { ReplaySubject } from "rxjs/internal/ReplaySubject";
import { checkPath, checkText } from "../../protocol/arguments.ts";
import { BadArgumentsError, InvalidValueError } from "../../protocol/errors.ts";
import type { Stat } from "../../protocol/stat.ts";
import type { Client } from "../client.ts";
import { decoded, encoded, Key, pathOf, type Target } from "../values.ts";
import type { CallOptions } from "../wire.ts";
import { Below, type Child, childPath } from "./below.ts";
import { Claim } from "./claim.ts";
import { follow } from "./following.ts";
import { checkLayout, checkWait } from "./arguments.ts";
import { createdOwn } from "./own-znode.ts";
import { uniqueName } from "./unique.ts";
import type { WaitOptions } from "./wait.ts";

const KAZOO_MARK = "__party__";

/** How a group is stored. */
export type MembersOptions = {
  /**
   * `curator`: every child is a member, and its name the member's, as with Curator's GroupMember. `kazoo`: the children with `__party__` in
   * their names, as with kazoo's Party, whose identifier is the value. Default `curator`.
   */
  readonly layout?: "curator" | "kazoo";
};

/** How somebody joins a group. `waitMs` counts while another session has the `name`. */
export type JoinOptions = WaitOptions &
  MembersOptions & {
    /**
     * The name of the member, without `/`. While another session has it, the call waits: a process that was started again waits until the
     * session of the one before is over. Default: a name that nobody else has. With the layout `kazoo` there is no other.
     */
    readonly name?: string | undefined;
  };

/** A member as others see it. */
export type MemberOf<Value> = {
  /** That of its znode, the last part of `path`. */
  readonly name: string;
  /** The znode that stands for it. */
  readonly path: string;
  /** What it has joined with, or updated since. */
  readonly value: Value;
  /** The same as the member's own `fence`: larger than that of everybody who has joined earlier. */
  readonly fence: bigint;
};

/** This client's part in a group, until it leaves or its session is over. */
export class Member<Given> extends Claim {
  /** That of its znode, the last part of `path`. */
  readonly name: string;
  readonly #set: (value: Given, options: CallOptions) => Promise<Stat>;

  constructor(
    client: Client,
    child: Omit<Child, "data">,
    set: (value: Given, options: CallOptions) => Promise<Stat>,
  ) {
    super(client, child.path, child.stat);
    this.name = child.name;
    this.#set = set;
  }

  /** Replaces what the others see of it. */
  async update(value: Given, options: CallOptions = {}): Promise<void> {
    await this.#set(value, options);
  }

  /** Takes part no longer: the same as `release`. Resolves when its znode is gone, or will be with the session. */
  async leave(): Promise<void> {
    await this.release();
  }
}

export async function join<Given>(
  client: Client,
  target: Target,
  value: Given,
  options: JoinOptions = {},
): Promise<Member<Given>> {
  const path = pathOf(target);
  checkWait(path, options);
  const name = checkedName(client, options);
  const own = childPath(path, name);
  checkPath(own);
  const place: Target = target instanceof Key ? target.at(name) : own;
  const data = await encoded(place, value);
  const stat = await createdOwn(client, { path: own, data }, options);
  return new Member<Given>(client, { name, path: own, stat }, async (next, calls) =>
    client.set(own, await encoded(place, next), calls),
  );
}

function checkedName(client: Client, { layout = "curator", name }: JoinOptions): string {
  const isKazoo = isKazooLayout(layout);
  if (name === undefined) {
    const unique = uniqueName(client.wire.clock);
    return isKazoo ? unique.replaceAll("-", "") + KAZOO_MARK : unique;
  }
  checkText("`name`", name);
  if (isKazoo) throw new BadArgumentsError("only one of `name` and `layout: kazoo` may be given");
  if (name.includes("/")) throw new BadArgumentsError("`name` has no slash");
  return name;
}

function isKazooLayout(layout: string): boolean {
  checkLayout(layout);
  return layout === "kazoo";
}

/** A group as it is now, by name. A member whose value is not what the key says is left out. */
export class Members<Value> {
  /** All members, at once and after each change; each time a new list. It completes when the client is closed. */
  readonly members$: Observable<readonly MemberOf<Value>[]>;
  readonly #client: Client;
  readonly #target: Target;
  readonly #isMeant: (name: string) => boolean;

  constructor(client: Client, target: Target, { layout = "curator" }: MembersOptions = {}) {
    const isKazoo = isKazooLayout(layout);
    checkPath(pathOf(target));
    this.#client = client;
    this.#target = target;
    this.#isMeant = (name) => !isKazoo || name.includes(KAZOO_MARK);
    this.members$ = new Observable<readonly MemberOf<Value>[]>((subscriber) => {
      const below = this.#below();
      return follow(client, {
        path: pathOf(target),
        recursive: true,
        read: async (changes) => {
          const { value, zxid } = await below.read(changes);
          return { value: await this.#membersOf(value), zxid };
        },
        next: (members) => subscriber.next(members),
        failed: (error) => {
          if (client.state.kind === "closed") subscriber.complete();
          else subscriber.error(error);
        },
      });
    }).pipe(share({ connector: () => new ReplaySubject(1) }));
  }

  /** Reads who takes part now. A group that nobody has ever joined is empty. */
  async list(options: CallOptions = {}): Promise<readonly MemberOf<Value>[]> {
    const { value } = await this.#below().read(undefined, options);
    return this.#membersOf(value);
  }

  #below(): Below {
    return new Below(this.#client, pathOf(this.#target), this.#isMeant);
  }

  async #membersOf(children: readonly Child[]): Promise<readonly MemberOf<Value>[]> {
    const members = await Promise.all(children.map(async (child) => this.#memberOf(child)));
    return members.filter((member) => member !== undefined);
  }

  async #memberOf({ name, path, data, stat }: Child): Promise<MemberOf<Value> | undefined> {
    const target = this.#target instanceof Key ? this.#target.at(name) : path;
    try {
      const value = (await decoded(target, data)) as Value;
      return { name, path, value, fence: BigInt(stat.czxid) };
    } catch (error) {
      if (error instanceof InvalidValueError) return undefined;
      throw error;
    }
  }
}
