/** Light, dark, or as the system has it; kept for the next visit. */

import { DARK, LIGHT } from "./draw/palette";

export type ThemeChoice = "light" | "dark" | "system";

const KEY = "simpar-theme";
const query = window.matchMedia("(prefers-color-scheme: dark)");

class Theme {
  choice = $state<ThemeChoice>(read());
  private system = $state(query.matches);
  readonly isDark = $derived(this.choice === "dark" || (this.choice === "system" && this.system));
  readonly palette = $derived(this.isDark ? DARK : LIGHT);

  constructor() {
    query.addEventListener("change", () => (this.system = query.matches));
  }

  /** Light, then dark, then as the system has it. */
  next(): void {
    this.choice = this.choice === "light" ? "dark" : this.choice === "dark" ? "system" : "light";
    try {
      localStorage.setItem(KEY, this.choice);
    } catch {
      // storage may be closed to us; the choice then lasts until the page is closed
    }
  }
}

function read(): ThemeChoice {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

export const theme = new Theme();
