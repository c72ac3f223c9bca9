// A point for each run, by two of its values; a third may colour it.
import type { Plot } from "../../../../lib/plots/plot";
import {
  axesOf,
  baseOption,
  cartesianAxis,
  colorLegend,
  type Drawing,
  GRID,
  LEGEND_PX,
  legendTitle,
  placed,
  type PlotContext,
  runTooltip,
} from "./base";

export function scatterDrawing(plot: Plot & { kind: "scatter" }, context: PlotContext): Drawing {
  const { data, theme } = context;
  const axes = axesOf(plot, [plot.x, plot.y, ...(plot.color ? [plot.color] : [])], data);
  const [x, y, color] = axes;
  const place = placed(axes, data);
  return {
    ...place,
    option: {
      ...baseOption(context),
      grid: { ...GRID, left: 28, bottom: 28, right: color ? LEGEND_PX : 16 },
      xAxis: cartesianAxis(x!, context, "x"),
      yAxis: cartesianAxis(y!, context, "y"),
      ...(color &&
        place.rows.length > 0 && {
          title: legendTitle(color, context),
          visualMap: colorLegend(color, place.rows, context, { seriesIndex: 0 }),
        }),
      series: [
        {
          type: "scatter",
          symbolSize: 10,
          data: place.rows.map((row) => ({
            value: axes.map((axis) => axis.values[row]!),
            run: row,
            itemStyle: { ...(!color && { color: data.runs[row]!.color }), borderColor: theme.surface, borderWidth: 1 },
          })),
          emphasis: { itemStyle: { borderColor: theme.text, borderWidth: 2 } },
          tooltip: runTooltip(context, axes),
        },
      ],
    },
  };
}
