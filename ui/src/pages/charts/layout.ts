// How the reader has arranged the charts: it is JSON, kept in the address and in saved views, and holds what is not so by
// itself.
import type { XAxis } from "../../lib/charts/series";
import type { Plot } from "../../lib/plots/plot";

export interface CardSettings {
  logY?: boolean;
  /** The range of y; left out, the values decide. */
  min?: number;
  max?: number;
}

export interface ChartsLayout {
  version: 1;
  x?: XAxis;
  logX?: boolean;
  logY?: boolean;
  /** The share of the past that smoothing keeps, from 0 to below 1. */
  smoothing?: number;
  /** Whether the range of y leaves out what is far from the rest. */
  outliers?: boolean;
  /** What is drawn of groups of runs; left out, their means and ranges. "off" is a line for each run. */
  groups?: "deviation" | "off";
  size?: "small" | "large";
  /** The words that were searched for. */
  search?: string;
  /** The runs, or the groups by their keys, that are not drawn. */
  off?: string[];
  pinned?: string[];
  hidden?: string[];
  /** The prefixes of the sections that are closed. */
  closed?: string[];
  /** The order of a section's cards, by its prefix. */
  order?: Record<string, string[]>;
  cards?: Record<string, CardSettings>;
  plots?: Plot[];
}
