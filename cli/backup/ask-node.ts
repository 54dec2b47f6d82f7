/**
 * Asks a node up to which zxid it has applied what is committed, by the four-letter word `srvr`, which every node answers.
 */
import { zxidOfText } from "../../server/skipped-operations.ts";
import { askServer, parseStatus } from "../srvr.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";

export type NodeAnswer =
  | { readonly kind: "serves"; readonly zxid: Zxid; readonly mode: string }
  | { readonly kind: "silent"; readonly why: string };

export type Address = { readonly host: string; readonly port: number };

const ANSWER_MS_MAX = 10_000;

/** Reads `host:port`, `[::1]:port` or `port`; undefined if the text is none. */
export function addressOf(text: string): Address | undefined {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) return undefined;
  return { host: match[1] ?? match[2] ?? "127.0.0.1", port };
}

export async function askNode(address: Address): Promise<NodeAnswer> {
  const answer = await askServer(address, { timeoutMs: ANSWER_MS_MAX });
  if (answer.kind === "silent") return { kind: "silent", why: answer.because };
  const { mode, zxid: text = "", because } = parseStatus(answer.text);
  const zxid = text === "0x0" ? ZXID_NONE : zxidOfText(text);
  if (mode !== undefined && zxid !== undefined) return { kind: "serves", zxid, mode };
  return {
    kind: "silent",
    why: because === undefined ? "it names no zxid" : `it answers: ${because}`,
  };
}
