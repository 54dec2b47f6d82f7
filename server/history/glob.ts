/**
 * Patterns of paths: in `/shop/*` the star is for any characters of one name, in `/shop/**` the two are for any names, none too, and `?` is for one
 * character. A tree is walked with the pattern, name by name, so that nothing is looked at below a znode where nothing can match.
 */
import { FIND_PATTERN_CHARS_MAX } from "./limits.ts";

type Token = { readonly kind: "text"; readonly text: string } | { readonly kind: "one" | "some" };
type Segment = "anyDepth" | readonly Token[];

/** How far into the pattern the names up to here may have come, in rising order. Empty: nothing below can match. */
export type GlobState = readonly number[];

export type Glob = {
  /** Before the first name. */
  readonly start: GlobState;
  readonly step: (state: GlobState, name: string) => GlobState;
  readonly isMatch: (state: GlobState) => boolean;
};

/** Returns what is wrong with the pattern, if it is none. */
export function globOf(pattern: string): Glob | string {
  if (pattern.length > FIND_PATTERN_CHARS_MAX) {
    return `a pattern has ${FIND_PATTERN_CHARS_MAX} characters at most`;
  }
  if (!pattern.startsWith("/")) return "a pattern is for a whole path, and begins with /";
  const texts = pattern === "/" ? [] : pattern.slice(1).split("/");
  if (texts.includes(""))
    return "a pattern has no empty name: it does not end with /, nor has it //";
  const segments: Segment[] = [];
  for (const text of texts) {
    // Two in a row are for the same names as one.
    if (text === "**" && segments.at(-1) === "anyDepth") continue;
    segments.push(text === "**" ? "anyDepth" : tokensOf(text));
  }
  return {
    start: reached([0], segments),
    step: (state, name) => stepped(state, name, segments),
    isMatch: (state) => state.at(-1) === segments.length,
  };
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [, escaped, special, plain] of text.matchAll(/\\(.)|([*?])|(\\$|[^*?\\]+)/gsu)) {
    const last = tokens.at(-1);
    if (special === "*") {
      if (last?.kind !== "some") tokens.push({ kind: "some" });
    } else if (special === "?") {
      tokens.push({ kind: "one" });
    } else {
      tokens.push({ kind: "text", text: escaped ?? plain ?? "" });
    }
  }
  return tokens;
}

/** With those that are reached without a further name: a `**` may be for none. */
function reached(indices: readonly number[], segments: readonly Segment[]): GlobState {
  const all = new Set<number>();
  for (const index of indices) {
    for (let at = index; ; at += 1) {
      all.add(at);
      if (segments[at] !== "anyDepth") break;
    }
  }
  return [...all].sort((one, other) => one - other);
}

function stepped(state: GlobState, name: string, segments: readonly Segment[]): GlobState {
  const next: number[] = [];
  for (const index of state) {
    const segment = segments[index];
    if (segment === undefined) continue;
    if (segment === "anyDepth") next.push(index);
    else if (isNamed(segment, name)) next.push(index + 1);
  }
  return reached(next, segments);
}

/** Only the last `*` is gone back to, since an earlier one that took more would leave less for the others; so no pattern takes long. */
function isNamed(tokens: readonly Token[], name: string): boolean {
  let [token, at] = [0, 0];
  let back: { readonly token: number; at: number } | undefined;
  for (;;) {
    const next = tokens[token];
    if (next?.kind === "some") {
      back = { token: token + 1, at };
      token += 1;
      continue;
    }
    if (next === undefined && at === name.length) return true;
    const length = next === undefined ? 0 : lengthAt(next, name, at);
    if (next !== undefined && length > 0) {
      token += 1;
      at += length;
      continue;
    }
    if (back === undefined || back.at >= name.length) return false;
    back.at += 1;
    token = back.token;
    at = back.at;
  }
}

/** How many code units the token takes here; 0: it does not match. */
function lengthAt(token: Token, name: string, at: number): number {
  if (token.kind === "text") return name.startsWith(token.text, at) ? token.text.length : 0;
  const point = name.codePointAt(at);
  if (point === undefined) return 0;
  return point > 0xffff ? 2 : 1;
}
