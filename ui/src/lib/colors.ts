// Colours of runs in charts and tables: told apart by people with any colour vision, on light and on dark.

const LIGHT = [
  "#0072b2",
  "#d55e00",
  "#007a57",
  "#a3478b",
  "#8a6d00",
  "#3f51b5",
  "#b3261e",
  "#00798c",
  "#6d4c41",
  "#5b6770",
];
const DARK = [
  "#56b4e9",
  "#ff9a57",
  "#3ddba8",
  "#e79bd0",
  "#e6c545",
  "#9fa8ff",
  "#ff8a80",
  "#5fd0e0",
  "#c9a596",
  "#aeb9c2",
];

/** The colour at a place of a list of runs; after ten they come again. */
export function colorAt(index: number, theme: "light" | "dark"): string {
  const colors = theme === "dark" ? DARK : LIGHT;
  return colors[((index % colors.length) + colors.length) % colors.length]!;
}

/** A run's own place among the colours, the same on every page. */
export function colorIndex(runId: string): number {
  let hash = 0;
  for (let at = 0; at < runId.length; at++) hash = (hash * 31 + runId.charCodeAt(at)) >>> 0;
  return hash % LIGHT.length;
}
