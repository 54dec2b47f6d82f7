/** Checks nodes with sequential names that are only ever created: none lost, none twice, each client's in the order it sent them. */
import type { Violations } from "./violations.ts";

export type FinalNode = { readonly path: string; readonly data: string; readonly czxid: bigint };

type Acknowledged = { readonly path: string; readonly token: string; readonly zxid: bigint };

/** A write's token names its client and counts its writes. */
export function tokenOf(client: string, number: number): string {
  return `${client}:${number}`;
}

export function isToken(data: string): boolean {
  return /^[^:]+:\d+$/.test(data);
}

function partsOf(token: string): { readonly client: string; readonly number: number } {
  const at = token.lastIndexOf(":");
  return { client: token.slice(0, at), number: Number(token.slice(at + 1)) };
}

export class Sequences {
  readonly #violations: Violations;
  readonly #acknowledged: Acknowledged[] = [];
  readonly #sent = new Map<string, number>();
  readonly #mustFail = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #last = new Map<string, Acknowledged>();

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  get count(): number {
    return this.#acknowledged.length;
  }

  /** A client's numbers are sent in order, from 1. */
  sent(client: string, number: number): void {
    this.#sent.set(client, number);
  }

  wasSent(token: string): boolean {
    const { client, number } = partsOf(token);
    return number <= (this.#sent.get(client) ?? 0);
  }

  /** A write that was refused, or is to be as a whole. */
  mustFail(token: string): void {
    this.#mustFail.add(token);
  }

  acknowledged(token: string, path: string, zxid: bigint): void {
    const other = this.#names.get(path);
    if (other !== undefined) {
      this.#violations.add("name-twice", `${path} was given to ${other} and ${token}`);
    }
    this.#names.set(path, token);
    const { client, number } = partsOf(token);
    const before = this.#last.get(client);
    if (before !== undefined && partsOf(before.token).number < number && zxid <= before.zxid) {
      this.#violations.add(
        "fifo",
        `${token} has zxid ${zxid.toString(16)}, the earlier ${before.token} has ${before.zxid.toString(16)}`,
      );
    }
    const made = { path, token, zxid };
    this.#last.set(client, made);
    this.#acknowledged.push(made);
  }

  /** All such nodes that a node holds when all is over. */
  final(node: string, nodes: readonly FinalNode[]): void {
    const byPath = new Map(nodes.map((each) => [each.path, each]));
    for (const { path, token, zxid } of this.#acknowledged) {
      const found = byPath.get(path);
      if (found === undefined) {
        this.#violations.add("lost-write", `${node}: ${path} (${token}) is not there`);
      } else if (found.data !== token) {
        this.#violations.add("lost-write", `${node}: ${path} is ${found.data}, not ${token}`);
      } else if (found.czxid !== zxid) {
        const shown = `${found.czxid.toString(16)}, acknowledged at ${zxid.toString(16)}`;
        this.#violations.add("lost-write", `${node}: ${path} was created at ${shown}`);
      }
    }
    this.#checkTokens(node, nodes);
  }

  #checkTokens(node: string, nodes: readonly FinalNode[]): void {
    const places = new Map<string, string>();
    const last = new Map<string, { readonly number: number; readonly path: string }>();
    const inOrder = [...nodes].sort((a, b) => (a.czxid < b.czxid ? -1 : 1));
    for (const { path, data } of inOrder) {
      if (this.#mustFail.has(data)) {
        this.#violations.add("refused-write", `${node}: ${path} is ${data}, which had to fail`);
      }
      const other = places.get(data);
      if (other !== undefined) {
        this.#violations.add("written-twice", `${node}: ${data} is ${other} and ${path}`);
        continue;
      }
      places.set(data, path);
      const { client, number } = partsOf(data);
      if (!this.wasSent(data)) {
        this.#violations.add("invented", `${node}: ${path} is ${data}`);
        continue;
      }
      const before = last.get(client);
      if (before !== undefined && number < before.number) {
        this.#violations.add(
          "fifo",
          `${node}: ${client} sent ${number} before ${before.number}, but ${path} comes after ${before.path}`,
        );
      }
      last.set(client, { number, path });
    }
  }
}
