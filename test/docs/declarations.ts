/**
 * The declarations of types as they are written, with the comments of their fields, which API Extractor leaves out: they say units and
 * defaults. The compiler indents what is within a declaration by four spaces.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type Token = {
  readonly kind: string;
  readonly text: string;
  readonly canonicalReference?: string;
};

/** A type of the model. The tokens are what the generator prints, with links where they refer to something. */
export type DeclaredType = {
  readonly name: string;
  readonly fileUrlPath: string;
  readonly excerptTokens: readonly Token[];
};

/** The text of a type's declaration. `folder` is the package's. */
export function declarationOf(folder: string, { name, fileUrlPath }: DeclaredType): string {
  const lines = readFileSync(join(folder, fileUrlPath), "utf8").split("\n");
  const begin = new RegExp(`^export type ${name}\\b`);
  const first = lines.findIndex((line) => begin.test(line));
  const last = lines.findIndex((line, at) => at >= first && /^(?! {4}| \*).*;$/.test(line));
  if (first === -1 || last === -1) throw new Error(`${fileUrlPath}: there is no type ${name}`);
  return lines.slice(first, last + 1).join("\n");
}

const COMMENT = /(\/\*\*[^]*?\*\/)/;
const IDENTIFIER = /([A-Za-z_$][\w$.]*)/;

/** The tokens of the text, which refer to the same as those that the type had. */
export function tokensOf(text: string, { excerptTokens }: DeclaredType): readonly Token[] {
  const references = new Map(
    excerptTokens
      .filter(({ canonicalReference }) => canonicalReference !== undefined)
      .map((token) => [token.text, token] as const),
  );
  return text.split(COMMENT).flatMap((piece): readonly Token[] => {
    if (piece.startsWith("/**")) return [{ kind: "Content", text: piece }];
    return piece
      .split(IDENTIFIER)
      .map((each) => references.get(each) ?? { kind: "Content", text: each });
  });
}

/** The names of fields without a comment. The comment of a union may say what its members have, so those are not looked at. */
export function bareFieldsOf(text: string): readonly string[] {
  if (/^ \| \{/m.test(text)) return [];
  const lines = text.split("\n");
  return lines.flatMap((line, at) => {
    const name = /^ {4}(?:readonly )?([\w$[\].]+)\??: /.exec(line)?.[1];
    const needsNone = name === undefined || name === "kind" || name === "__brand";
    return needsNone || lines[at - 1]?.endsWith("*/") === true ? [] : [name];
  });
}
