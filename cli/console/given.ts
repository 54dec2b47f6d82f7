/** The operands and flags that a user gave for a command, after they were checked. */
import type { Zxid } from "../../protocol/zxid.ts";

export class Given {
  readonly #operands: ReadonlyMap<string, readonly string[]>;
  readonly #flags: ReadonlyMap<string, readonly string[]>;

  constructor(
    operands: ReadonlyMap<string, readonly string[]>,
    flags: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#operands = operands;
    this.#flags = flags;
  }

  /** An operand that must be given. */
  operand(name: string): string {
    const value = this.optional(name);
    if (value === undefined)
      throw new Error(`the operand ${name} is not among those of the command`);
    return value;
  }

  optional(name: string): string | undefined {
    return this.#operands.get(name)?.[0];
  }

  operands(name: string): readonly string[] {
    return this.#operands.get(name) ?? [];
  }

  has(flag: string): boolean {
    return this.#flags.has(flag);
  }

  /** The value of a flag; the last one if it was given several times. */
  value(flag: string): string | undefined {
    return this.#flags.get(flag)?.at(-1);
  }

  values(flag: string): readonly string[] {
    return this.#flags.get(flag) ?? [];
  }

  number(flag: string): number | undefined {
    const text = this.value(flag);
    return text === undefined ? undefined : Number(text);
  }

  zxid(flag: string): Zxid | undefined {
    return this.number(flag) as Zxid | undefined;
  }
}
