// Every text of the UI, through one catalogue a language: a tree of strings, and of functions where something is put in.
import { external } from "../lib/external";
import { type Language, preferences } from "../lib/preferences";
import en from "./en";

/** What each language has to say; English is the model, and the type checker compares the others with it. */
export type Strings = typeof en;

const strings = external<Strings>(en);
const loaders: Record<Exclude<Language, "en">, () => Promise<{ default: Strings }>> = { es: () => import("./es") };

/** The texts in the reader's language: `const t = useStrings(); t.common.cancel`. */
export function useStrings(): Strings {
  return strings.use();
}

/** The same outside components. */
export function currentStrings(): Strings {
  return strings.get();
}

/** Show the language that the reader chose. */
export async function applyLanguage(): Promise<void> {
  const { language } = preferences.get();
  document.documentElement.lang = language;
  strings.set(language === "en" ? en : (await loaders[language]()).default);
}
