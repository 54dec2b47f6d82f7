/** What a run is called in the address of the page, so that a seed that fails can be linked to, and a moment of it. */
import type { Choice } from "../messages.ts";

export type Address = Choice & {
  /** The mistake that is planted in the sources. Empty: none is. */
  readonly mistake: string;
  /** The moment that is shown. Undefined: where a run is first looked at. */
  readonly atMs: number | undefined;
};

export const SEED_MAX: number = 2 ** 32 - 1;
export const SEED_RULE: string = `A seed is a whole number from 1 to ${SEED_MAX}.`;
const NONE: Address = { seed: 1, plan: "", placement: "", mistake: "", atMs: undefined };

/** Undefined: the text is no seed. */
export function seedOf(text: string): number | undefined {
  const seed = Number(text);
  return /^\d{1,10}$/.test(text) && seed >= 1 && seed <= SEED_MAX ? seed : undefined;
}

/** `seed`: what the address has of it, if it has, is to be run at once, and may be wrong. */
export function parseAddress(search: string): {
  readonly address: Address;
  readonly seed: "none" | "right" | "wrong";
} {
  const query = new URLSearchParams(search);
  const text = query.get("seed");
  const seed = seedOf(text ?? "");
  const atMs = Number(query.get("at") ?? Number.NaN);
  const address = {
    seed: seed ?? NONE.seed,
    plan: query.get("plan") ?? "",
    placement: query.get("placement") ?? "",
    mistake: query.get("mistake") ?? "",
    atMs: Number.isFinite(atMs) && atMs >= 0 ? atMs : undefined,
  };
  if (text === null) return { address, seed: "none" };
  return { address, seed: seed === undefined ? "wrong" : "right" };
}

export function formatAddress(address: Address): string {
  const { seed, plan, placement, mistake, atMs } = address;
  const query = new URLSearchParams({ seed: String(seed) });
  for (const [name, value] of Object.entries({ plan, placement, mistake })) {
    if (value !== "") query.set(name, value);
  }
  if (atMs !== undefined) query.set("at", String(atMs));
  return `?${query.toString()}`;
}

/** What repeats a run in a terminal of the repository. */
export function commandOf({ seed, plan, placement, mistake }: Address): string {
  const planned = plan === "" ? "" : ` --plan ${plan}`;
  if (mistake !== "") return `npm run sim:mutants -- --only ${mistake}${planned}`;
  const placed = placement === "" ? "" : ` --placement ${placement}`;
  return `npm run sim -- --seed ${seed}${planned}${placed} --trace`;
}
