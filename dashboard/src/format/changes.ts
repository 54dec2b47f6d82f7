/** What has happened to a znode, in words. */
import { bytesOf, hexDump, visible } from "./values.ts";

export type ChangeKind = "created" | "deleted" | "data" | "acl";

/** Null: the log does not know it. */
export type Cause = {
  readonly operation: string;
  readonly session: string | null;
  readonly address: string | null;
  readonly identities: readonly { readonly scheme: string; readonly id: string }[];
  readonly node: number | null;
};

/** What has become of a znode between two points. */
export type Outcome = {
  readonly kind: "created" | "changed" | "deleted";
  readonly what: readonly ("data" | "acl" | "recreated")[];
};

const KINDS: Readonly<Record<ChangeKind, string>> = {
  created: "created",
  deleted: "deleted",
  data: "value set",
  acl: "list of access set",
};

export function kindText(kind: ChangeKind): string {
  return KINDS[kind];
}

/** `deleted by a multi of session 0x1 from 10.0.0.9 as digest:deploy, through node 2`. */
export function causeText({ operation, session, address, identities, node }: Cause): string {
  const names = identities.map(({ scheme, id }) => `${scheme}:${id.replace(/:x$/, "")}`);
  const words = [
    `by ${operation}`,
    session === null ? "" : `of session ${session}`,
    address === null ? "" : `from ${address}`,
    names.length === 0 ? "" : `as ${names.join(", ")}`,
    node === null ? "" : `through node ${node}`,
  ];
  return visible(words.filter((each) => each !== "").join(" "));
}

const WHATS: Readonly<Record<Outcome["what"][number], string>> = {
  data: "value",
  acl: "list of access",
  recreated: "deleted and made again",
};

export function differenceText({ kind, what }: Outcome): string {
  if (kind !== "changed") return kind;
  return `changed: ${what.map((each) => WHATS[each]).join(", ")}`;
}

type Value = { readonly base64: string | null; readonly text: string | null };

/** Two values as texts that can be compared: as they are, or as bytes where one of them is no text. No znode is an empty text. */
export function comparable(
  one: Value | undefined,
  other: Value | undefined,
): readonly [string, string] {
  const values = [one, other] as const;
  const areTexts = values.every(
    (each) => each === undefined || each.base64 === null || each.text !== null,
  );
  const textOf = (each: Value | undefined): string => {
    if (each === undefined || each.base64 === null) return "";
    return areTexts ? (each.text ?? "") : hexDump(bytesOf(each.base64));
  };
  return [textOf(one), textOf(other)];
}

const EXCERPT_CHARS = 80;

/** A value on one line, and not all of it where it is long. */
export function excerptOf(base64: string | null | undefined): string {
  if (base64 === undefined) return "";
  if (base64 === null) return "null";
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(base64));
  } catch {
    return `bytes ${bytesOf(base64)
      .slice(0, EXCERPT_CHARS / 4)
      .reduce((hex, each) => hex + each.toString(16).padStart(2, "0"), "")}`;
  }
  return visible(text.length > EXCERPT_CHARS ? `${text.slice(0, EXCERPT_CHARS)}…` : text);
}

/** The paths among them above which none of the others is. */
export function topsOf(paths: readonly string[]): ReadonlySet<string> {
  const all = new Set(paths);
  const isBelow = (path: string): boolean => {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      if (all.has(path.slice(0, at))) return true;
    }
    return false;
  };
  return new Set(paths.filter((path) => !isBelow(path)));
}

const WHYS: Readonly<Record<string, string>> = {
  ephemeral: "ephemeral: its client makes it",
  ZOOID_NO_NODE: "the znode above it is not there",
  ZOOID_NO_AUTH: "the list of the znode above it lets not everybody create",
  ZOOID_NO_CHILDREN_FOR_EPHEMERALS: "the znode above it is ephemeral today",
};

/** Why a znode was not brought back. */
export function whyText(why: string): string {
  return WHYS[why] ?? why;
}
