/** A client of the native protocol that does what its script says: right, nearly right, and not at all. */
import { encodeCbor } from "../../../protocol/cbor.ts";
import { decodeGatewayFrame, NATIVE_VERSION } from "../../../protocol/native.ts";
import { gatewaySubject, inboxSubject, laneSubject } from "../../../protocol/subjects.ts";
import { ENSEMBLE, type OneNode } from "./one-node.ts";
import type { Script } from "./script.ts";
import { PATHS } from "./zookeeper-stranger.ts";

const NUMBERS: readonly unknown[] = [
  0,
  1,
  2,
  3,
  7,
  -1,
  1.5,
  2 ** 31,
  2 ** 53 - 1,
  null,
  "x",
  0x1_0000_0001,
  1000,
];
const CODES: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 9, 12, 14, 107, 503, -11, 0, 999];
const MEMBER_CODES: readonly number[] = [1, 2, 5, 13, 501, 503, 504, 505, 3, 14];
const SIZES: readonly number[] = [0, 1, 1000, 1000, 300_000];
const LARGE_BYTES_MAX = 2_000_000;

export class NativeStranger {
  readonly #node: OneNode;
  readonly #name: string;
  #connection = 0;
  #sequence = 0;
  #session: unknown = 0;
  #password: Uint8Array = new Uint8Array(16);
  #sentBytes = 0;
  readonly #kinds = new Set<string>();

  constructor(node: OneNode, number: number) {
    this.#node = node;
    this.#name = `stranger${number}`;
  }

  kind(): string {
    return [...this.#kinds].sort().slice(0, 4).join(",");
  }

  step(script: Script): void {
    switch (script.below(8)) {
      case 0:
        this.#open(script);
        break;
      case 1:
        this.#publish(laneSubject(ENSEMBLE, 1, 1), script.raw());
        break;
      case 2:
        this.#sequence += script.below(3);
        this.#frame(script);
        break;
      default:
        this.#frame(script);
    }
    this.#hear();
  }

  #open(script: Script): void {
    const choice = script.byte();
    this.#connection += choice & 1;
    this.#sequence = 0;
    const session = (choice & 2) === 0 ? this.#session : script.pick(NUMBERS);
    const password = (choice & 4) === 0 ? this.#password : script.raw();
    const version = (choice & 8) === 0 ? NATIVE_VERSION : script.pick(NUMBERS);
    const timeoutMs = (choice & 16) === 0 ? 10_000 : script.pick(NUMBERS);
    const item = [1, version, session, password, timeoutMs];
    this.#publish(gatewaySubject(ENSEMBLE), encodeCbor([0, [item]]));
  }

  #frame(script: Script): void {
    this.#sequence += 1;
    const before = this.#sentBytes;
    const items = Array.from({ length: 1 + script.below(5) }, () => this.#item(script));
    // NATS carries a megabyte at most.
    const repeats = script.below(40) === 0 && this.#sentBytes - before < 5000 ? 100 : 1;
    const all = Array.from({ length: repeats }, () => items).flat();
    this.#publish(laneSubject(ENSEMBLE, 1, 1), encodeCbor([this.#sequence, all]));
  }

  #item(script: Script): unknown {
    const number = script.pick(NUMBERS);
    switch (script.below(8)) {
      case 0:
        return [2];
      case 1:
        return [
          4,
          number,
          script.pick(PATHS),
          script.below(2) === 0,
          script.pick(NUMBERS),
          script.pick(NUMBERS),
        ];
      case 2:
        return [5, number, script.pick(NUMBERS)];
      case 3:
        return [6, number];
      case 4:
        return script.below(8) === 0 ? [script.byte(), number] : [2];
      default:
        return [3, script.byte(), ...this.#request(script)];
    }
  }

  #request(script: Script): unknown[] {
    const code = script.pick(CODES);
    if (code === 14) {
      const members = Array.from({ length: script.below(4) }, () => this.#member(script));
      return [code, members];
    }
    const path = script.pick(PATHS);
    if (code === 7) return [code, path, this.#acl(script), script.pick(NUMBERS)];
    return this.#single(script, code, path);
  }

  #member(script: Script): unknown[] {
    const code = script.pick(MEMBER_CODES);
    const path = script.pick(PATHS);
    if (code !== 504) return this.#single(script, code, path);
    const stat = Array.from({ length: 11 }, () => script.pick(NUMBERS));
    return [code, path, script.pick(NUMBERS), stat];
  }

  #acl(script: Script): unknown {
    const schemes = ["world", "auth", "digest", "ip", ""];
    const entry = [script.below(32), script.pick(schemes), "anyone"];
    return script.pick<unknown>([[], [entry], [entry, entry], null, [[]]]);
  }

  #single(script: Script, code: number, path: string): unknown[] {
    if (code === 1) {
      const flags = script.below(64);
      return [code, path, this.#data(script), flags, script.pick(NUMBERS), this.#acl(script)];
    }
    if (code === 5) return [code, path, this.#data(script), script.pick(NUMBERS)];
    if (code === -11) return script.below(8) === 0 ? [code] : [4, path];
    return [code, path, script.pick(NUMBERS)];
  }

  #data(script: Script): Uint8Array | null {
    const size = script.pick(SIZES);
    if (size > 1000 && this.#sentBytes + size > LARGE_BYTES_MAX) return null;
    this.#sentBytes += size;
    return new Uint8Array(size).fill(7);
  }

  #publish(subject: string, bytes: Uint8Array): void {
    const reply = inboxSubject(ENSEMBLE, this.#name, this.#connection);
    this.#node.hear(subject, reply, new Uint8Array(bytes));
  }

  #hear(): void {
    const inbox = inboxSubject(ENSEMBLE, this.#name, this.#connection);
    for (const bytes of this.#node.published.get(inbox) ?? []) {
      for (const item of decodeGatewayFrame(bytes).items) {
        this.#kinds.add(item.kind === "ended" ? item.reason : item.kind);
        if (item.kind !== "opened") continue;
        this.#session = item.session;
        this.#password = item.password;
      }
    }
    this.#node.published.delete(inbox);
  }
}
