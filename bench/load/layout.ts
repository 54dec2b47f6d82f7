/** The names of the znodes, or keys, of one load. */
import type { Place } from "./work.ts";

/** How many digits the number in the names of created znodes has. */
export const SEQUENCE_DIGITS = 10;

const digits = "0".repeat(SEQUENCE_DIGITS);

export class Layout {
  readonly root: string;
  readonly #connection: number;

  constructor(root: string, connection: number) {
    this.root = root;
    this.#connection = connection;
  }

  get own(): string {
    return `${this.root}/own-${this.#connection}`;
  }

  get hot(): string {
    return `${this.root}/hot`;
  }

  get pool(): string {
    return `${this.root}/pool`;
  }

  get churn(): string {
    return `${this.root}/churn`;
  }

  place(place: Place): string {
    if (place.kind === "own") return this.own;
    return place.kind === "hot" ? this.hot : this.poolZnode(place.number);
  }

  poolZnode(number: number): string {
    return `${this.pool}/znode-${number}`;
  }

  /** The path of a znode that a branch creates, with zeros where the number of the cycle goes. */
  created(branch: number, index = 0): string {
    return `${this.churn}/c${this.#connection}-b${branch}-i${index}-${digits}`;
  }

  /** The same with the number. */
  createdIn(cycle: number, branch: number, index = 0): string {
    const zeros = this.created(branch, index);
    return zeros.slice(0, -SEQUENCE_DIGITS) + String(cycle).padStart(SEQUENCE_DIGITS, "0");
  }
}
