/** What can be asked about the past, as plain data: the same for the API, for the process that answers it, and for the command line. */
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { zxidIn } from "../admin/api/json.ts";
import type { ChangesQuery, Place } from "./changes.ts";
import type { DiffQuery } from "./diff.ts";
import type { FindQuery } from "./find.ts";

export type Question =
  /** From where to where the past is known, and at which zxids there are snapshots. */
  | { readonly kind: "span" }
  | ({ readonly kind: "history" } & ChangesQuery)
  | { readonly kind: "znode"; readonly zxid: Zxid; readonly path: string }
  | ({ readonly kind: "children"; readonly zxid: Zxid; readonly path: string } & Page)
  | ({ readonly kind: "diff" } & DiffQuery & Page)
  | ({ readonly kind: "find" } & FindQuery & Page);

/** From the node itself, which makes the znodes again: lists of access come with all that is in them. */
export type SubtreeQuestion = {
  readonly kind: "subtree";
  readonly zxid: Zxid;
  readonly path: string;
} & Page;

export type Page = {
  /** `next` of the page before; of children it is the last name. Empty: this is the first. */
  readonly after: string;
  readonly limit: number;
};

export type Asked = {
  readonly question: Question | SubtreeQuestion;
  /** Nothing is told of a znode while not everybody might read it, and no hash of a password. */
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
