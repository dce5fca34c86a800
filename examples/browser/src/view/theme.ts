//! Dark or light: what the system says, until somebody chooses.

import { byId } from "./dom.ts";

const KEY = "stackful-theme";
const DARK = matchMedia("(prefers-color-scheme: dark)");

/** @param changed - the colors are others now. */
export function startTheme(changed: () => void): void {
  const apply = (): void => {
    document.documentElement.dataset.theme = chosen() ?? (DARK.matches ? "dark" : "light");
    changed();
  };
  DARK.addEventListener("change", apply);
  byId("theme").addEventListener("click", () => {
    choose(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  });
  apply();
}

/** Storage can be forbidden: then the choice lasts as long as the page. */
let choice: string | undefined;

function chosen(): string | undefined {
  try {
    return choice ?? localStorage.getItem(KEY) ?? undefined;
  } catch {
    return choice;
  }
}

function choose(theme: string): void {
  choice = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As said above.
  }
}
