/** A row of the table of ZooKeeper's keys (`zookeeper-keys.ts`), and how one is written down. */
import type { NodeConfig } from "./node-config.ts";

export type Treatment =
  /** It is a setting here too. Without a field, `effect` says what it does. */
  | { readonly kind: "works"; readonly field: keyof NodeConfig }
  | { readonly kind: "works"; readonly effect: string }
  /** Its value must be right, as in ZooKeeper, and has no effect. */
  | { readonly kind: "checked"; readonly because: string }
  /** Nobody misses what it asks for. */
  | { readonly kind: "idle"; readonly because: string }
  /** It has no effect, and whoever wrote it may miss what it asks for. */
  | { readonly kind: "missed"; readonly because: string; readonly instead: string }
  /** To ignore it would leave open what its owner believes to be closed, or make another ensemble than the file says. */
  | { readonly kind: "refused"; readonly rule: string; readonly hint: string };

/** Values with which a key that is missed or refused asks for nothing that zooid does not do. */
export type Harmless = {
  /** For the table of the documentation. */
  readonly text: string;
  /** Given the value in lower case. */
  readonly holds: (value: string) => boolean;
  readonly because: string;
};

export type Row = {
  /** The names, also those of Java properties that differ. One that ends with `*` stands for every key that begins like it. */
  readonly keys: readonly string[];
  readonly treatment: Treatment;
  readonly harmless?: Harmless;
};

export function rows(names: string, treatment: Treatment, harmless?: Harmless): Row {
  return { keys: names.trim().split(/\s+/), treatment, ...(harmless && { harmless }) };
}

export function works(name: string, field: keyof NodeConfig): Row {
  return rows(name, { kind: "works", field });
}

export function idle(because: string, names: string): Row {
  return rows(names, { kind: "idle", because });
}

export function missed(names: string, because: string, instead: string, harmless?: Harmless): Row {
  return rows(names, { kind: "missed", because, instead }, harmless);
}

export function refused(names: string, rule: string, hint: string, harmless?: Harmless): Row {
  return rows(names, { kind: "refused", rule, hint }, harmless);
}

export function only(because: string, ...values: readonly string[]): Harmless {
  const text = values.map((value) => (value === "" ? "nothing" : `\`${value}\``)).join(", ");
  const lower = values.map((value) => value.toLowerCase());
  return { text, holds: (value) => lower.includes(value), because };
}

export const OFF: Harmless = only("it says that this is not wanted", "false", "");
