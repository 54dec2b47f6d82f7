/**
 * Asks a node up to which zxid it has applied what is committed, by the four-letter word `srvr`, which every node answers unless its
 * `4lw.commands.whitelist` leaves it out.
 */
import { connect } from "node:net";
import { zxidOfText } from "../../server/skipped-operations.ts";
import { type Zxid, ZXID_NONE } from "../../protocol/zxid.ts";

export type NodeAnswer =
  | { readonly kind: "serves"; readonly zxid: Zxid; readonly mode: string }
  | { readonly kind: "silent"; readonly why: string };

export type Address = { readonly host: string; readonly port: number };

const ANSWER_MS_MAX = 10_000;
/** The answer to `srvr` has about 300 bytes. */
const ANSWER_BYTES_MAX: number = 64 * 1024;

/** Reads `host:port`, `[::1]:port` or `port`; undefined if the text is none. */
export function addressOf(text: string): Address | undefined {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) return undefined;
  return { host: match[1] ?? match[2] ?? "127.0.0.1", port };
}

export async function askNode(address: Address): Promise<NodeAnswer> {
  let answer: string;
  try {
    answer = await fourLetters(address, "srvr");
  } catch (error) {
    return { kind: "silent", why: error instanceof Error ? error.message : String(error) };
  }
  const mode = /^Mode: (\S+)/m.exec(answer)?.[1];
  const text = /^Zxid: (0x[0-9a-f]+)$/m.exec(answer)?.[1];
  const zxid = text === "0x0" ? ZXID_NONE : zxidOfText(text ?? "");
  if (mode === undefined || zxid === undefined) {
    const [first = ""] = answer.split("\n");
    return { kind: "silent", why: first === "" ? "it answers nothing" : `it answers: ${first}` };
  }
  return { kind: "serves", zxid, mode };
}

function fourLetters({ host, port }: Address, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const socket = connect({ host, port }, () => socket.write(word));
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error("it does not answer")));
    socket.on("data", (piece) => {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > ANSWER_BYTES_MAX) socket.destroy(new Error("it answers something else"));
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(Buffer.concat(pieces).toString("utf8")));
  });
}
