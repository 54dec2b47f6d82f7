/** Asks a server a four-letter word on a connection of its own, as any operator can, and reads what `srvr` answers. */
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectOptions } from "../client/connect.ts";

export type Place = {
  readonly host: string;
  readonly port: number;
  /** Default: without TLS. */
  readonly tls?: ConnectOptions["tls"];
};

export type Asking = {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Default `srvr`. */
  readonly word?: string;
};

export type Answer =
  | { readonly kind: "answered"; readonly text: string }
  | { readonly kind: "silent"; readonly because: string };

/** Answers that list something have about a million characters, those of Apache ZooKeeper may have more. What is longer is none. */
const ANSWER_CHARACTERS_MAX = 64 * 1024 * 1024;
const REASON_CHARACTERS_MAX = 100;

export type ServerStatus = {
  /** `leader`, `follower`, `standalone`, …; undefined while it does not serve, or is not there. */
  readonly mode: string | undefined;
  /** Why there is no mode. */
  readonly because: string | undefined;
  readonly zxid: string | undefined;
  readonly clients: number | undefined;
  readonly outstanding: number | undefined;
  /** Least, mean and most, in milliseconds. */
  readonly latencyMs: string | undefined;
  readonly znodes: number | undefined;
  readonly version: string | undefined;
  /** Packets that came since the start, or since they were set back. */
  readonly received: number | undefined;
};

export async function askServer(place: Place, asking: Asking): Promise<Answer> {
  const opened = place.tls === undefined ? "connect" : "secureConnect";
  try {
    return await answerOf(await socketTo(place), asking, opened);
  } catch (error) {
    return { kind: "silent", because: error instanceof Error ? error.message : String(error) };
  }
}

async function socketTo({ host, port, tls }: Place): Promise<Socket> {
  if (tls === undefined) return connect({ host, port });
  const { readTlsFiles } = await import("../client/zookeeper/channel.ts");
  const files = await readTlsFiles(tls);
  return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...files });
}

function answerOf(
  socket: Socket,
  { timeoutMs, signal, word = "srvr" }: Asking,
  opened: "connect" | "secureConnect",
): Promise<Answer> {
  return new Promise((resolve) => {
    const pieces: string[] = [];
    let characters = 0;
    let because = "it closed the connection without an answer";
    const give = (reason: string): void => {
      because = reason;
      // Half an answer is none.
      pieces.length = 0;
      socket.destroy();
    };
    const timer = setTimeout(() => give(`no answer within ${timeoutMs} ms`), timeoutMs);
    const abort = (): void => give("ended");
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    socket.setEncoding("utf8");
    socket.once(opened, () => socket.write(word));
    socket.on("data", (piece: string) => {
      if (socket.destroyed) return;
      pieces.push(piece);
      characters += piece.length;
      if (characters > ANSWER_CHARACTERS_MAX) give("its answer is too long");
    });
    socket.once("error", (error) => {
      because = error.message;
    });
    socket.once("close", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      const text = pieces.join("");
      resolve(text === "" ? { kind: "silent", because } : { kind: "answered", text });
    });
  });
}

/** Reads the answer to `srvr`. */
export function parseStatus(text: string): ServerStatus {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1]?.trim();
  const number = (name: string): number | undefined => {
    const found = field(name);
    return found === undefined || !/^\d{1,15}$/.test(found) ? undefined : Number(found);
  };
  const mode = field("Mode");
  return {
    mode,
    because: mode === undefined ? firstLine(text) : undefined,
    zxid: field("Zxid"),
    clients: number("Connections"),
    outstanding: number("Outstanding"),
    latencyMs: field("Latency min/avg/max"),
    znodes: number("Node count"),
    received: number("Received"),
    version: field("Zookeeper version")?.replace(/, built on .*$/, ""),
  };
}

/** Whatever listens there may have answered with anything. */
function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").trim().slice(0, REASON_CHARACTERS_MAX);
}
