/** Which situations a run reached: an actor in a role, and the message that it took there. */
export class Coverage {
  readonly #seen = new Map<string, Map<string, Set<string>>>();

  saw(actor: string, message: object, state: unknown): void {
    const slash = actor.indexOf("/");
    const name = slash < 0 ? actor : actor.slice(0, slash);
    let kinds = this.#seen.get(name);
    if (kinds === undefined) {
      kinds = new Map();
      this.#seen.set(name, kinds);
    }
    const kind = kindOf(message);
    let roles = kinds.get(kind);
    if (roles === undefined) {
      roles = new Set();
      kinds.set(kind, roles);
    }
    roles.add(roleOf(state));
  }

  keys(): string[] {
    const keys: string[] = [];
    for (const [actor, kinds] of this.#seen) {
      for (const [kind, roles] of kinds)
        for (const role of roles) keys.push(`${actor} ${kind} ${role}`);
    }
    return keys;
  }
}

/** Returns the kind of a message. For one of a peer it is the kind of the message inside, and for a timer its name. */
function kindOf(message: object): string {
  const {
    kind,
    message: inner,
    timer,
  } = message as {
    readonly kind?: string;
    readonly message?: { readonly kind?: string };
    readonly timer?: string;
  };
  return inner?.kind ?? timer ?? kind ?? "unknown";
}

function roleOf(state: unknown): string {
  if (typeof state !== "object" || state === null) return "";
  if ("role" in state) return (state.role as { readonly kind: string }).kind;
  if ("mode" in state) return String(state.mode);
  if ("serving" in state) return state.serving === true ? "serving" : "waiting";
  return "";
}
