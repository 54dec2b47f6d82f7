/** Light or dark: as the system has it, until somebody chooses. */
import { type Signal, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const KEY = "zooid.theme";
const THEMES: readonly Theme[] = ["system", "light", "dark"];

export const theme: Signal<Theme> = signal<Theme>(
  THEMES.find((each) => each === localStorage.getItem(KEY)) ?? "system",
);

export function applyTheme(): void {
  const chosen = theme.value;
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem(KEY, chosen);
  applyTheme();
}
