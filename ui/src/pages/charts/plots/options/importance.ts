// What each param has to do with a metric, the strongest on top.
import { importances, ranked } from "../../../../lib/plots/importance";
import type { Plot } from "../../../../lib/plots/plot";
import { axisOf } from "../../../../lib/plots/values";
import { baseOption, cellsOf, type Drawing, GRID, nameOf, placed, plain, type PlotContext } from "./base";

const BAR_PX = 24;
const MAX_BARS = 40;

export interface ImportanceDrawing extends Drawing {
  /** How many params are ranked, and how many of those that vary the measure says nothing of. */
  found: number;
  left: number;
}

export function isImportance(drawing: Drawing): drawing is ImportanceDrawing {
  return "found" in drawing;
}

export function importanceDrawing(plot: Plot & { kind: "importance" }, context: PlotContext): ImportanceDrawing {
  const { data, theme, t } = context;
  const metric = axisOf(plot.y, cellsOf(data, plot.y), "linear");
  const measure = plot.measure ?? "share";
  const params = Object.keys(data.columns).filter((column) => column.startsWith("params.") && column !== plot.y);
  const all = importances(
    metric.values,
    params.map((column) => ({ column, cells: cellsOf(data, column) })),
  );
  const found = ranked(all, measure);
  const shown = found.slice(0, MAX_BARS);
  const isShare = measure === "share";
  const colorOf = (value: number) => (isShare ? theme.accent : value < 0 ? theme.bad : theme.good);
  return {
    ...placed([metric], data),
    found: found.length,
    left: all.length - found.length,
    height: shown.length * BAR_PX + 64,
    option: {
      ...baseOption(context),
      grid: { ...GRID, right: 48, bottom: 28 },
      xAxis: {
        type: "value",
        min: isShare ? 0 : -1,
        max: 1,
        name: t.plots.measures[measure],
        nameLocation: "middle",
        nameGap: 28,
        nameTextStyle: { color: theme.muted, fontWeight: 500 },
        axisLabel: {
          color: theme.muted,
          formatter: (value: number) => (isShare ? `${Math.round(value * 100)} %` : String(Number(value.toFixed(2)))),
        },
        splitLine: { lineStyle: { color: theme.line } },
      },
      yAxis: {
        type: "category",
        inverse: true,
        data: shown.map(({ column }) => plain(nameOf(column, t))),
        axisLine: { lineStyle: { color: theme.lineStrong }, onZero: false },
        axisTick: { show: false },
        axisLabel: { color: theme.text, interval: 0, width: 150, overflow: "truncate" },
      },
      series: [
        {
          type: "bar",
          barMaxWidth: 16,
          data: shown.map(({ value }) => ({ value, itemStyle: { color: colorOf(value), borderRadius: 2 } })),
          label: {
            show: true,
            // Beyond the end of the bar, on the side it points to.
            position: "right",
            color: theme.text,
            formatter: ({ value }: { value?: unknown }) => valueText(Number(value), isShare),
          },
          tooltip: {
            formatter: (params: unknown) => {
              const one = shown[(params as { dataIndex: number }).dataIndex];
              if (!one) return "";
              const lines = [
                nameOf(one.column, t),
                ...(["share", "spearman", "pearson"] as const).map(
                  (name) =>
                    `${t.plots.measures[name]}: ${one[name] === undefined ? "–" : valueText(one[name], name === "share")}`,
                ),
                t.plots.runCount(one.count),
              ];
              return plain(lines.join("\n"));
            },
          },
        },
      ],
    },
  };
}

function valueText(value: number, isShare: boolean): string {
  if (isShare) return `${Math.round(value * 100)} %`;
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}
