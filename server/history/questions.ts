/** What can be asked about the past, as plain data: the same for the API, for the process that answers it, and for the command line. */
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { zxidIn } from "../admin/api/json.ts";
import type { ChangesQuery, Place } from "./changes.ts";
import type { DiffQuery } from "./diff.ts";

export type Question =
  /** From where to where the past is known, and at which zxids there are snapshots. */
  | { readonly kind: "span" }
  | ({ readonly kind: "history" } & ChangesQuery)
  | { readonly kind: "znode"; readonly zxid: Zxid; readonly path: string }
  | ({ readonly kind: "children"; readonly zxid: Zxid; readonly path: string } & Page)
  | ({ readonly kind: "diff" } & DiffQuery & Page);

export type Page = {
  /** The last name, or path, of the page before. Empty: this is the first. */
  readonly after: string;
  readonly limit: number;
};

export type Asked = {
  readonly question: Question;
  /** Values and lists of znodes that not everybody might read then are left out. */
  readonly hidesClosed: boolean;
};

/** As it stands in `next` of an answer. */
export function placeText({ zxid, index }: Place): string {
  return `${formatZxid(zxid)}.${index}`;
}

/** Undefined: the text is none. */
export function placeIn(text: string): Place | undefined {
  const [, zxidText = "", indexText = ""] = /^([^.]*)\.(\d{1,9})$/.exec(text) ?? [];
  const zxid = zxidIn(zxidText);
  return zxid === undefined ? undefined : { zxid, index: Number(indexText) };
}
