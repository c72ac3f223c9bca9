// What a reader chose for this browser: theme, language, time zone. Kept in local storage where there is one.
import { external } from "./external";

export type Theme = "system" | "light" | "dark";
export type Language = "en" | "es";

export interface Preferences {
  theme: Theme;
  language: Language;
  /** An IANA name, or "local" for the browser's own. */
  timeZone: string;
}

const PLACE = "runyard.preferences";
const SYSTEM_DARK = "(prefers-color-scheme: dark)";

export const preferences = external<Preferences>(read(), (value) => {
  try {
    localStorage.setItem(PLACE, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows what was chosen until the page is closed.
  }
  applyTheme();
});

export function setPreference<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
  preferences.set({ ...preferences.get(), [name]: value });
}

/** The theme that is shown; components that draw on a canvas watch it. */
export const shownTheme = external<"light" | "dark">("light");

export function startTheme(): void {
  applyTheme();
  matchMedia(SYSTEM_DARK).addEventListener("change", applyTheme);
}

function applyTheme(): void {
  const chosen = preferences.get().theme;
  const theme = chosen === "system" ? (matchMedia(SYSTEM_DARK).matches ? "dark" : "light") : chosen;
  document.documentElement.dataset.theme = theme;
  shownTheme.set(theme);
}

function read(): Preferences {
  const language: Language = navigator.language.toLowerCase().startsWith("es") ? "es" : "en";
  const defaults: Preferences = { theme: "system", language, timeZone: "local" };
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(PLACE) ?? "{}") as Partial<Preferences>) };
  } catch {
    return defaults;
  }
}
