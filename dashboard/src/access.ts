/** As whom the node takes the page. */
import { type Signal, signal } from "@preact/signals";
import { type Access, messageOf, read } from "./api.ts";

export const access: Signal<Access | undefined> = signal<Access | undefined>(undefined);
export const accessProblem: Signal<string | undefined> = signal<string | undefined>(undefined);
export const mayWrite: Signal<boolean> = signal(false);

export async function askAccess(): Promise<void> {
  try {
    access.value = await read<Access>("access");
    mayWrite.value = access.value.mayWrite;
    accessProblem.value = undefined;
  } catch (error) {
    accessProblem.value = messageOf(error);
  }
}

/** Whether the API has the endpoint: not all servers can answer all. */
export function offers(endpoint: string): boolean {
  return access.value?.offers.includes(endpoint) === true;
}
