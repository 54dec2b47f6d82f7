/** Names that nobody else draws, in the form of Curator's GUIDs. */
import type { Clock } from "../wire.ts";

const GROUPS: readonly number[] = [8, 4, 4, 4, 12];

/** 128 bits as hexadecimal digits in five groups. */
export function uniqueName({ random }: Pick<Clock, "random">): string {
  const digit = (): string => Math.floor(random() * 16).toString(16);
  return GROUPS.map((length) => Array.from({ length }, digit).join("")).join("-");
}
