// A metric as heights over two other values of the runs: lines of equal height of the surface through the runs.
import { contours, type ContourMultiPolygon } from "d3-contour";
import { formatNumber } from "../../../../lib/format";
import { type Grid, interpolate, levelsOf, placeOf } from "../../../../lib/plots/grid";
import type { Plot } from "../../../../lib/plots/plot";
import { type Axis, rangeOf } from "../../../../lib/plots/values";
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
  plain,
  type PlotContext,
  type PlotOption,
  type PlotTheme,
  rampOf,
  runTooltip,
} from "./base";

/** Around the points, as a share of their range. */
const MARGIN = 0.05;

export function contourDrawing(plot: Plot & { kind: "contour" }, context: PlotContext): Drawing {
  const { data, theme } = context;
  const axes = axesOf(plot, [plot.x, plot.y, plot.z], data);
  const [x, y, z] = axes as [Axis, Axis, Axis];
  const place = placed(axes, data);
  const grid = place.rows.length > 0 ? surfaceOf(x, y, z, place.rows) : undefined;
  const levels = grid ? levelsOf(grid.values) : [];
  const bands = grid ? contours().size([grid.width, grid.height]).thresholds(levels)(grid.values) : [];
  const colors = rampOf(theme);
  return {
    ...place,
    option: {
      ...baseOption(context),
      grid: { ...GRID, left: 28, bottom: 28, right: LEGEND_PX },
      xAxis: { ...cartesianAxis(x, context, "x"), ...(grid && limitsOf(x, grid.xRange, theme)) } as PlotOption["xAxis"],
      yAxis: { ...cartesianAxis(y, context, "y"), ...(grid && limitsOf(y, grid.yRange, theme)) } as PlotOption["yAxis"],
      ...(grid && {
        title: legendTitle(z, context),
        visualMap: colorLegend(z, place.rows, context, { seriesIndex: 1 }),
      }),
      series: [
        {
          type: "custom",
          silent: true,
          clip: true,
          tooltip: { show: false },
          data: bands.map((_, at) => at),
          renderItem: (params, api) => {
            const band = bands[params.dataIndex]!;
            const pathData = pathOf(band, grid!, (across, up) => api.coord([valueOn(x, across), valueOn(y, up)]));
            const share = levels.length > 1 ? params.dataIndex / (levels.length - 1) : 0;
            return {
              type: "path",
              shape: { pathData },
              style: { fill: between(colors, share), opacity: 0.8, stroke: theme.surface, lineWidth: 0.5 },
            };
          },
        },
        {
          type: "scatter",
          symbolSize: 9,
          data: place.rows.map((row) => ({
            value: axes.map((axis) => axis.values[row]!),
            run: row,
            itemStyle: { borderColor: theme.text, borderWidth: 1.5 },
          })),
          tooltip: runTooltip(context, axes),
        },
      ],
    },
  };
}

function surfaceOf(x: Axis, y: Axis, z: Axis, rows: readonly number[]): Grid {
  const points = rows.map((row) => ({
    x: lengthOn(x, x.values[row]!),
    y: lengthOn(y, y.values[row]!),
    z: z.values[row]!,
  }));
  return interpolate(points, widened(points.map((point) => point.x)), widened(points.map((point) => point.y)));
}

function widened(values: readonly number[]): [number, number] {
  const [low, high] = rangeOf(values);
  const margin = (high - low || 1) * MARGIN;
  return [low - margin, high + margin];
}

/** How far along the axis a value is drawn: the logarithm where the axis is one. */
function lengthOn(axis: Axis, value: number): number {
  return axis.scale === "log" ? Math.log10(value) : value;
}

function valueOn(axis: Axis, length: number): number {
  return axis.scale === "log" ? 10 ** length : length;
}

/** The axis ends where the surface does; an axis of words is one of numbers here, with the words as labels. */
function limitsOf(axis: Axis, [low, high]: [number, number], theme: PlotTheme) {
  const label = { color: theme.muted, fontFamily: theme.font, hideOverlap: true };
  const limits = { min: valueOn(axis, low), max: valueOn(axis, high) };
  if (axis.kind === "number") return { ...limits, axisLabel: { ...label, ...endless(axis) } };
  const places = axis.categories.map((_, place) => place);
  const formatter = (value: number) => plain(axis.categories[value] ?? "");
  return {
    ...limits,
    type: "value" as const,
    axisLabel: {
      ...label,
      customValues: places,
      hideOverlap: true,
      width: 90,
      overflow: "truncate" as const,
      formatter,
    },
  };
}

// Labels at the odd ends of the surface would say nothing.
function endless(axis: Axis) {
  return {
    showMinLabel: false,
    showMaxLabel: false,
    formatter: (value: number) => shortNumber(axis, value),
  };
}

function shortNumber(axis: Axis, value: number): string {
  return formatNumber(value, axis.scale === "log" ? 2 : 4);
}

function pathOf(band: ContourMultiPolygon, grid: Grid, toPixels: (x: number, y: number) => number[]): string {
  let path = "";
  for (const polygon of band.coordinates) {
    for (const ring of polygon) {
      for (const [at, corner] of ring.entries()) {
        const [left, top] = toPixels(...placeOf(grid, corner as [number, number]));
        path += `${at === 0 ? "M" : "L"}${left!.toFixed(1)},${top!.toFixed(1)}`;
      }
      path += "Z";
    }
  }
  return path;
}

/** The colour at a share of the way through the colours. */
function between(colors: readonly string[], share: number): string {
  const place = share * (colors.length - 1);
  const first = Math.min(colors.length - 2, Math.floor(place));
  const parts = [1, 3, 5].map((at) => {
    const from = parseInt(colors[first]!.slice(at, at + 2), 16);
    const to = parseInt(colors[first + 1]!.slice(at, at + 2), 16);
    return Math.round(from + (to - from) * (place - first));
  });
  return `rgb(${parts.join(",")})`;
}
