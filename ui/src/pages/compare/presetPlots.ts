// The plots that the compare page shows before the reader has arranged any.
import type { Run } from "../../api/schema";
import { mapOf } from "../../lib/models/comparison";
import { newPlotId, type Plot } from "../../lib/plots/plot";

const MAX_PARAMS = 7;
const MAX_METRICS = 2;

/** Parallel coordinates of the params that differ, and of the first metrics; none where that is too little. */
export function presetPlots(runs: readonly Run[]): Plot[] {
  const params = runs.map((run) => mapOf(run.data.params));
  const differing = namesIn(params).filter((name) => params.some((map) => map.get(name) !== params[0]!.get(name)));
  // A run without one of the params would not be drawn: only where no param is common to all are others shown.
  const shared = differing.filter((name) => params.every((map) => map.has(name)));
  const chosen = (shared.length > 0 ? shared : differing).slice(0, MAX_PARAMS);
  const metrics = namesIn(runs.map((run) => mapOf(run.data.metrics)))
    .filter((name) => !name.startsWith("system/"))
    .slice(0, MAX_METRICS);
  const axes = [...chosen.map((name) => `params.${name}`), ...metrics.map((name) => `metrics.${name}`)];
  return axes.length < 2 ? [] : [{ id: newPlotId([]), kind: "parallel", axes }];
}

function namesIn(maps: readonly ReadonlyMap<string, string>[]): string[] {
  return [...new Set(maps.flatMap((map) => [...map.keys()]))].sort((a, b) => a.localeCompare(b));
}
