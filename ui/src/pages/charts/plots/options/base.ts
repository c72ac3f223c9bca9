// What the options of all plots share: their data, the colours of the theme, axes, what stands beneath the pointer.
import type { EChartsOption } from "echarts";
import { colorAt } from "../../../../lib/colors";
import { formatDuration, formatNumber, formatTime } from "../../../../lib/format";
import type { Strings } from "../../../../i18n";
import type { Plot } from "../../../../lib/plots/plot";
import { type Axis, axisOf, type Cell, completeRows, missingCounts } from "../../../../lib/plots/values";
import type { ChartRun } from "../../ChartsPanel";

export type PlotOption = EChartsOption;

/** The values of the runs, a list a column, in the order of the runs. */
export interface PlotData {
  runs: ChartRun[];
  columns: Record<string, Cell[]>;
}

/** How the page looks: the colours are those of tokens.css. */
export interface PlotTheme {
  isDark: boolean;
  surface: string;
  sunken: string;
  line: string;
  lineStrong: string;
  text: string;
  muted: string;
  accent: string;
  good: string;
  bad: string;
  font: string;
  timeZone: string;
}

export interface PlotContext {
  data: PlotData;
  theme: PlotTheme;
  t: Strings;
}

/** A plot, ready to be drawn. */
export interface Drawing {
  option: PlotOption;
  /** In CSS pixels, where the kind asks for more than the usual. */
  height?: number;
  /** It scrolls sideways where there is less. */
  minWidth?: number;
  axes: Axis[];
  /** The places of the runs that are drawn. */
  rows: number[];
  /** How many runs have no value, by axis. */
  missing: { column: string; missing: number }[];
}

/** What the mark of a run carries, so that a click on it finds the run. */
export interface RunMark {
  run: number;
}

// Viridis, which grows lighter evenly and is told apart with any colour vision; its ends are cut where they would be
// lost on the ground.
const RAMP = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];
const LIGHT_RAMP = [...RAMP.slice(0, 4), "#b8d430"];
const DARK_RAMP = ["#6a4fa3", "#4f79b8", "#2aa79f", "#6fd36f", "#fde725"];

export function rampOf(theme: PlotTheme): string[] {
  return theme.isDark ? DARK_RAMP : LIGHT_RAMP;
}

/** The columns of a plot as axes, each divided as the reader wants it. */
export function axesOf(plot: Plot, columns: readonly string[], data: PlotData): Axis[] {
  return columns.map((column) => axisOf(column, cellsOf(data, column), plot.scales?.[column]));
}

export function cellsOf({ runs, columns }: PlotData, column: string): Cell[] {
  return columns[column] ?? runs.map(() => null);
}

/** Which runs can be drawn on these axes, and which values the others miss. */
export function placed(axes: Axis[], data: PlotData) {
  const count = data.runs.length;
  return { axes, rows: completeRows(axes, count), missing: missingCounts(axes, count) };
}

/** A value of an axis in words: a category's name, a duration, a time, a number. */
export function wordOf(axis: Axis, value: number | undefined, theme: PlotTheme): string {
  if (value === undefined) return "";
  if (axis.kind === "category") return axis.categories[Math.round(value)] ?? "";
  if (axis.column === "attributes.duration") return formatDuration(value);
  if (/^attributes\.(start|end)_time$/.test(axis.column)) return formatTime(value, theme.timeZone);
  return formatNumber(value, 5);
}

/** A column in words. */
export function nameOf(column: string, t: Strings): string {
  const attribute = /^attributes\.(.*)$/.exec(column)?.[1];
  if (attribute !== undefined) return t.plots.attributes[attribute] ?? attribute;
  return column.slice(column.indexOf(".") + 1);
}

/** The lines beneath the pointer for a run. ECharts would take braces in them for names of styles. */
export function describeRun(context: PlotContext, row: number, axes: readonly Axis[]): string {
  const { data, theme, t } = context;
  const lines = axes.map((axis) => `${nameOf(axis.column, t)}: ${wordOf(axis, axis.values[row], theme)}`);
  return plain([data.runs[row]?.name ?? "", ...lines].join("\n"));
}

export function plain(text: string): string {
  return text.replaceAll("{", "{\u200b");
}

/** What every plot has. */
export function baseOption({ theme }: PlotContext): PlotOption {
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: theme.font, color: theme.text, fontSize: 12 },
    tooltip: {
      trigger: "item",
      renderMode: "richText",
      confine: true,
      backgroundColor: theme.surface,
      borderColor: theme.lineStrong,
      textStyle: { color: theme.text, fontFamily: theme.font, fontSize: 12 },
    },
  };
}

/** Room for the labels, which the axes measure by themselves. */
export const GRID = { left: 8, right: 16, top: 16, bottom: 8, containLabel: true };

/** An axis of a plot with two of them. */
export function cartesianAxis(axis: Axis, context: PlotContext, direction: "x" | "y") {
  const { theme, t } = context;
  const isX = direction === "x";
  const shared = {
    name: nameOf(axis.column, t),
    nameLocation: "middle" as const,
    nameGap: isX ? 28 : 10,
    nameMoveOverlap: true,
    nameTextStyle: { color: theme.muted, fontWeight: 500 as const },
    axisLine: { show: true, lineStyle: { color: theme.lineStrong } },
    axisTick: { show: false },
    splitLine: { show: axis.kind === "number", lineStyle: { color: theme.line } },
  };
  const label = { color: theme.muted, hideOverlap: true, fontFamily: theme.font };
  if (axis.kind === "category") {
    return {
      ...shared,
      type: "category" as const,
      data: axis.categories,
      axisLabel: { ...label, width: isX ? 90 : 120, overflow: "truncate" as const },
    };
  }
  return {
    ...shared,
    type: axis.scale === "log" ? ("log" as const) : ("value" as const),
    scale: true,
    axisLabel: { ...label, formatter: (value: number) => wordOf(axis, value, theme) },
  };
}

/** The room that the legend takes up, at the right. */
export const LEGEND_PX = 110;

/** A bar of colours for the values of an axis, drawn to the right of the plot. */
export function colorLegend(axis: Axis, rows: readonly number[], context: PlotContext, extra: object) {
  const { theme } = context;
  const values = rows.map((row) => axis.values[row]!);
  const shared = { dimension: 2, right: 0, top: 34, textStyle: { color: theme.muted }, itemWidth: 12, ...extra };
  if (axis.kind === "category") {
    const categories = axis.categories.map((category, place) => ({ value: place, label: plain(category) }));
    const colors = axis.categories.map((_, place) => colorAt(place, theme.isDark ? "dark" : "light"));
    return {
      ...shared,
      type: "piecewise" as const,
      pieces: categories.map((piece, place) => ({ ...piece, color: colors[place] })),
      itemGap: 4,
      inverse: true,
      // The reader filters runs elsewhere; a legend that hides marks would make the counts wrong.
      selectedMode: false as const,
    };
  }
  return {
    ...shared,
    type: "continuous" as const,
    min: Math.min(...values),
    max: Math.max(...values),
    inRange: { color: rampOf(theme) },
    itemHeight: 120,
    calculable: false,
    text: [wordOf(axis, Math.max(...values), theme), wordOf(axis, Math.min(...values), theme)],
  };
}

/** What the colours of the legend stand for, above it. */
export function legendTitle(axis: Axis, { theme, t }: PlotContext) {
  return {
    text: plain(nameOf(axis.column, t)),
    right: 0,
    top: 10,
    textStyle: {
      color: theme.muted,
      fontFamily: theme.font,
      fontSize: 12,
      fontWeight: 500 as const,
      width: LEGEND_PX - 10,
      overflow: "truncate" as const,
    },
  };
}

/** The tooltip of marks that are runs. */
export function runTooltip(context: PlotContext, axes: readonly Axis[]) {
  return {
    formatter: (params: unknown) => {
      const mark = (params as { data?: Partial<RunMark> }).data;
      return typeof mark?.run === "number" ? describeRun(context, mark.run, axes) : "";
    },
  };
}
