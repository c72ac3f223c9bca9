// The colours of the page, for what is drawn on a canvas.
import { useMemo } from "react";
import { preferences, shownTheme } from "../../../lib/preferences";
import type { PlotTheme } from "./options/base";

/** The tokens as they are now; read anew when the reader changes the theme. */
export function usePlotTheme(): PlotTheme {
  const theme = shownTheme.use();
  const { timeZone } = preferences.use();
  return useMemo(() => {
    const style = getComputedStyle(document.documentElement);
    const of = (token: string) => style.getPropertyValue(token).trim();
    return {
      isDark: theme === "dark",
      surface: of("--surface"),
      sunken: of("--sunken"),
      line: of("--line"),
      lineStrong: of("--line-strong"),
      text: of("--text"),
      muted: of("--muted"),
      accent: of("--accent"),
      good: of("--good"),
      bad: of("--bad"),
      font: of("--sans"),
      timeZone,
    };
  }, [theme, timeZone]);
}
