/** Asks a server a four-letter word on a connection of its own, as any operator can. */
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { readTlsFiles } from "../../../client/zookeeper/channel.ts";
import type { ConnectOptions } from "../../../client/connect.ts";

export type Place = {
  readonly host: string;
  readonly port: number;
  /** Undefined: without TLS. */
  readonly tls: NonNullable<ConnectOptions["tls"]> | undefined;
};

export type Asking = { readonly timeoutMs: number; readonly signal: AbortSignal };

export type Answer =
  | { readonly kind: "answered"; readonly text: string }
  | { readonly kind: "silent"; readonly because: string };

/** The words that are asked here have answers of some lines. What is longer is none of them. */
const ANSWER_CHARACTERS_MAX = 64 * 1024;

export async function ask(place: Place, word: string, asking: Asking): Promise<Answer> {
  try {
    const socket = await socketTo(place);
    return await answerOf(
      socket,
      word,
      asking,
      place.tls === undefined ? "connect" : "secureConnect",
    );
  } catch (error) {
    return { kind: "silent", because: error instanceof Error ? error.message : String(error) };
  }
}

async function socketTo({ host, port, tls }: Place): Promise<Socket> {
  if (tls === undefined) return connect({ host, port });
  const files = await readTlsFiles(tls);
  return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...files });
}

function answerOf(
  socket: Socket,
  word: string,
  { timeoutMs, signal }: Asking,
  opened: "connect" | "secureConnect",
): Promise<Answer> {
  return new Promise((resolve) => {
    let text = "";
    let because = "it closed the connection without an answer";
    const give = (reason: string): void => {
      because = reason;
      socket.destroy();
    };
    const timer = setTimeout(() => give(`no answer within ${timeoutMs} ms`), timeoutMs);
    const abort = (): void => give("ended");
    signal.addEventListener("abort", abort, { once: true });
    socket.setEncoding("utf8");
    socket.once(opened, () => socket.write(word));
    socket.on("data", (piece: string) => {
      text += piece;
      if (text.length > ANSWER_CHARACTERS_MAX) give("its answer is too long");
    });
    socket.once("error", (error) => {
      because = error.message;
    });
    socket.once("close", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      resolve(text === "" ? { kind: "silent", because } : { kind: "answered", text });
    });
  });
}
