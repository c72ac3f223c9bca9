// A bar for each run: one value, compared.
import type { Plot } from "../../../../lib/plots/plot";
import {
  axesOf,
  baseOption,
  cartesianAxis,
  type Drawing,
  GRID,
  placed,
  plain,
  type PlotContext,
  runTooltip,
} from "./base";

/** From so many runs on, the bars lie: their names need the width. */
const MAX_UPRIGHT = 6;
const BAR_PX = 22;
const LONG_LIST = 16;

export function barDrawing(plot: Plot & { kind: "bar" }, context: PlotContext): Drawing {
  const { data, theme } = context;
  const axes = axesOf(plot, [plot.y], data);
  const axis = axes[0]!;
  const place = placed(axes, data);
  const rows = ordered(place.rows, axis.values, data.runs, plot.order);
  const isLying = rows.length > MAX_UPRIGHT;
  const names = {
    type: "category" as const,
    data: rows.map((row) => plain(data.runs[row]!.name)),
    inverse: isLying,
    axisLine: { lineStyle: { color: theme.lineStrong } },
    axisTick: { show: false },
    axisLabel: {
      color: theme.text,
      width: isLying ? 150 : 100,
      overflow: "truncate" as const,
      interval: 0,
      fontFamily: theme.font,
    },
  };
  // A bar stands on zero: a scale that begins elsewhere would make small differences look large.
  const values = { ...cartesianAxis(axis, context, isLying ? "x" : "y"), scale: axis.scale === "log" };
  // Of a list that scrolls the top is seen first.
  const isLong = rows.length > LONG_LIST;
  const top = { ...values, position: "top" as const };
  return {
    ...place,
    height: isLying ? rows.length * BAR_PX + 70 : undefined,
    option: {
      ...baseOption(context),
      grid: { ...GRID, bottom: isLying && !isLong ? 28 : 8, left: isLying ? 8 : 28, top: isLong ? 36 : 16 },
      xAxis: isLying ? (isLong ? top : values) : names,
      yAxis: isLying ? names : values,
      series: [
        {
          type: "bar",
          barMaxWidth: 36,
          data: rows.map((row) => ({
            value: axis.values[row]!,
            run: row,
            itemStyle: { color: data.runs[row]!.color, borderRadius: 2 },
          })),
          tooltip: runTooltip(context, axes),
        },
      ],
    },
  };
}

function ordered(
  rows: readonly number[],
  values: readonly (number | undefined)[],
  runs: readonly { name: string }[],
  order: "name" | "runs" | undefined,
): number[] {
  if (order === "runs") return [...rows];
  if (order === "name")
    return [...rows].sort((a, b) => runs[a]!.name.localeCompare(runs[b]!.name, "en", { numeric: true }));
  return [...rows].sort((a, b) => values[b]! - values[a]!);
}
