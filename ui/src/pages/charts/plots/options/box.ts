// The spread of a value among the runs that share the value of a param or a tag, with the runs as points over it.
import { formatNumber } from "../../../../lib/format";
import type { Plot } from "../../../../lib/plots/plot";
import { fiveNumbers } from "../../../../lib/plots/statistics";
import { axisOf, categoryAxis } from "../../../../lib/plots/values";
import {
  baseOption,
  cartesianAxis,
  cellsOf,
  type Drawing,
  GRID,
  nameOf,
  placed,
  plain,
  type PlotContext,
  runTooltip,
} from "./base";

export function boxDrawing(plot: Plot & { kind: "box" }, context: PlotContext): Drawing {
  const { data, theme, t } = context;
  const groups = categoryAxis(plot.by, cellsOf(data, plot.by));
  const values = axisOf(plot.y, cellsOf(data, plot.y), plot.scales?.[plot.y]);
  const axes = [groups, values];
  const place = placed(axes, data);
  const boxes = groups.categories.map((_, group) =>
    fiveNumbers(place.rows.filter((row) => groups.values[row] === group).map((row) => values.values[row]!)),
  );
  return {
    ...place,
    option: {
      ...baseOption(context),
      grid: { ...GRID, left: 28, bottom: 28 },
      xAxis: cartesianAxis(groups, context, "x"),
      yAxis: cartesianAxis(values, context, "y"),
      series: [
        {
          type: "boxplot",
          boxWidth: [12, 60],
          itemStyle: { color: theme.sunken, borderColor: theme.muted, borderWidth: 1.5 },
          emphasis: { disabled: true },
          data: boxes.flatMap((box, group) =>
            box ? [[group, box.low, box.lowerQuartile, box.median, box.upperQuartile, box.high]] : [],
          ),
          encode: { x: 0, y: [1, 2, 3, 4, 5] },
          tooltip: {
            formatter: (params: unknown) => {
              const group = Number((params as { data?: number[] }).data?.[0]);
              const box = boxes[group];
              if (!box) return "";
              const line = (name: string, value: number) => `${name}: ${formatNumber(value, 5)}`;
              return plain(
                [
                  `${nameOf(plot.by, t)}: ${groups.categories[group]}`,
                  line(t.plots.upperWhisker, box.high),
                  line(t.plots.upperQuartile, box.upperQuartile),
                  line(t.plots.median, box.median),
                  line(t.plots.lowerQuartile, box.lowerQuartile),
                  line(t.plots.lowerWhisker, box.low),
                ].join("\n"),
              );
            },
          },
        },
        {
          type: "scatter",
          symbolSize: 8,
          data: place.rows.map((row) => ({
            value: [groups.values[row]!, values.values[row]!],
            run: row,
            itemStyle: { color: data.runs[row]!.color, borderColor: theme.surface, borderWidth: 1 },
          })),
          tooltip: runTooltip(context, axes),
        },
      ],
    },
  };
}
