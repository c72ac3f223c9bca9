// Parallel coordinates: an upright axis for each column, and a line through them for each run.
import type { Plot } from "../../../../lib/plots/plot";
import type { Axis } from "../../../../lib/plots/values";
import {
  axesOf,
  baseOption,
  colorLegend,
  type Drawing,
  nameOf,
  placed,
  plain,
  type PlotContext,
  runTooltip,
  wordOf,
} from "./base";

/** More runs than this are not told apart by colours of their own: the last axis colours them. */
const MAX_OWN_COLORS = 10;
const AXIS_PX = 84;

export function parallelDrawing(plot: Plot & { kind: "parallel" }, context: PlotContext): Drawing {
  const { data, theme } = context;
  const axes = axesOf(plot, plot.axes, data);
  const place = placed(axes, data);
  const last = axes.at(-1);
  const isColored = place.rows.length > MAX_OWN_COLORS && last?.kind === "number";
  return {
    ...place,
    height: 360,
    minWidth: 110 + axes.length * AXIS_PX,
    option: {
      ...baseOption(context),
      parallel: {
        left: 48,
        right: isColored ? 130 : 64,
        top: 40,
        bottom: 20,
        parallelAxisDefault: {
          nameLocation: "end",
          nameGap: 14,
          nameTextStyle: { color: theme.text, fontWeight: 500, fontSize: 12 },
          nameTruncate: { maxWidth: 130 },
          axisLine: { lineStyle: { color: theme.lineStrong } },
          axisTick: { lineStyle: { color: theme.lineStrong } },
          areaSelectStyle: { width: 18, borderWidth: 1, borderColor: theme.accent, color: theme.accent, opacity: 0.25 },
        },
      },
      parallelAxis: axes.map((axis, dim) => ({ ...parallelAxis(axis, context), id: axis.column, dim })),
      ...(isColored && {
        visualMap: colorLegend(last, place.rows, context, { seriesIndex: 0, dimension: axes.length - 1 }),
      }),
      series: [
        {
          type: "parallel",
          lineStyle: { width: 1.75, opacity: 0.75 },
          emphasis: { lineStyle: { width: 3.5, opacity: 1 } },
          inactiveOpacity: 0.06,
          activeOpacity: 0.95,
          smooth: 0.15,
          data: place.rows.map((row) => ({
            value: axes.map((axis) => axis.values[row]!),
            run: row,
            ...(!isColored && { lineStyle: { color: data.runs[row]!.color } }),
          })),
          tooltip: runTooltip(context, axes),
        },
      ],
    },
  };
}

function parallelAxis(axis: Axis, context: PlotContext) {
  const { theme, t } = context;
  // The lines run through the labels: a rim keeps them legible.
  const rim = { textBorderColor: theme.surface, textBorderWidth: 3 };
  const label = { color: theme.text, hideOverlap: true, fontFamily: theme.font, ...rim };
  const name = plain(nameOf(axis.column, t));
  if (axis.kind === "category") {
    // As numbers with words for labels: on an axis of words a selected range would shrink to nothing around one word.
    const places = axis.categories.map((_, place) => place);
    return {
      type: "value" as const,
      name,
      min: -0.5,
      max: axis.categories.length - 0.5,
      axisTick: { customValues: places },
      axisLabel: {
        ...label,
        customValues: places,
        width: 90,
        overflow: "truncate" as const,
        formatter: (value: number) => plain(axis.categories[value] ?? ""),
      },
    };
  }
  return {
    type: axis.scale === "log" ? ("log" as const) : ("value" as const),
    name,
    scale: true,
    axisLabel: { ...label, formatter: (value: number) => wordOf(axis, value, theme) },
  };
}
