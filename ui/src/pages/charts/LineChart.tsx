import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useStrings } from "../../i18n";
import { spreadText } from "../../lib/charts/groups";
import { type Lines, rangeWithoutOutliers, type XAxis } from "../../lib/charts/series";
import { smooth } from "../../lib/charts/smooth";
import { formatDuration, formatNumber, formatTime } from "../../lib/format";
import { highlightedRun } from "../../lib/highlight";
import { preferences, shownTheme } from "../../lib/preferences";
import type { ChartRun } from "./ChartsPanel";
import "./LineChart.css";

const HIGHLIGHT_WIDTH = 3;
const LINE_WIDTH = 1.5;
const MARK_SIZE = 5;
const MAX_LEGEND_ROWS = 12;
/** Where the cursor is another chart's, the lines matter more than the numbers. */
const MAX_FOLLOWING_ROWS = 4;
/** A click as near to a line, in CSS pixels, is a click on it. */
const NEAR_PX = 12;
/** A second click within this time makes it a double click. */
const DOUBLE_CLICK_MS = 250;
/** With more runs, bands would hide the lines. */
const MAX_BANDS = 12;

interface LineChartProps {
  lines: Lines;
  /** What the lines are of: runs, or groups of runs with their keys for ids. */
  runs: readonly ChartRun[];
  axis: XAxis;
  logX: boolean;
  logY: boolean;
  smoothing: number;
  /** Leave out of the range of y what is far from the rest. */
  outliers: boolean;
  /** A range of y that the reader has fixed; either end may be left to the values. */
  fixed: { min?: number; max?: number };
  height: number;
  /** The names of the charts whose cursors move together. */
  sync: string;
  /** A part of x was chosen, in units of x; undefined is all of it again. */
  onZoom: (range: [number, number] | undefined) => void;
  /** Hands out the canvas, for an image of it. */
  canvasRef: (canvas: HTMLCanvasElement | undefined) => void;
}

interface PointedRow {
  runId: string;
  value: number;
  /** Of a group: its band, and how many runs it is of. */
  group?: { low: number; high: number; count: number };
}

interface Pointed {
  x: number;
  /** Whether the cursor is in the right half, where the legend would hide it. */
  isRight: boolean;
  rows: PointedRow[];
}

/** Lines of a metric over steps or time. A click on a line opens its run, dragging chooses a part, a double click shows all. */
export function LineChart(props: LineChartProps) {
  const { lines, runs, axis, logX, logY, smoothing, outliers, fixed, height, sync, onZoom, canvasRef } = props;
  const t = useStrings();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const theme = shownTheme.use();
  const { timeZone } = preferences.use();
  const [pointed, setPointed] = useState<Pointed>();
  const [isOver, setOver] = useState(false);
  const byId = useMemo(() => new Map(runs.map((run) => [run.runId, run])), [runs]);
  const [near, setNear] = useState<ChartRun>();
  const opening = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(opening.current), []);
  const zoom = useRef(onZoom);
  useEffect(() => {
    zoom.current = onZoom;
  }, [onZoom]);

  const drawn = useMemo(() => {
    const withBands = lines.runs.length <= MAX_BANDS && lines.runs.some(({ hasBand }) => hasBand);
    const hasRaw = smoothing > 0;
    const data: (number | null)[][] = [lines.x];
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    for (const { runId, last, min, max } of lines.runs) {
      const color = byId.get(runId)?.color ?? "#888";
      const points = { show: last.filter((value) => value !== null).length === 1, size: 7, fill: color };
      if (withBands) {
        data.push(max, min);
        series.push(
          ...[0, 1].map(() => ({ stroke: "transparent", width: 0, points: { show: false }, spanGaps: true })),
        );
        bands.push({ series: [data.length - 2, data.length - 1], fill: `${color}26` });
      }
      if (hasRaw) {
        data.push(last);
        series.push({ stroke: `${color}40`, width: 1, points: { show: false }, spanGaps: true });
      }
      data.push(smooth(last, smoothing));
      series.push({ label: runId, stroke: color, width: LINE_WIDTH, points, spanGaps: true });
    }
    return { data: data as uPlot.AlignedData, series, bands };
  }, [lines, byId, smoothing]);

  const yRange = useMemo(() => (outliers ? rangeWithoutOutliers(lines) : undefined), [outliers, lines]);
  // What needs a chart of its own; new values alone are given to the one that is there.
  const shape = JSON.stringify([
    drawn.series.map(({ label, stroke }) => [label, typeof stroke === "string" ? stroke : ""]),
    drawn.bands.length,
    [axis, logX, logY, height, sync, theme, timeZone, yRange, fixed],
  ]);
  const current = useRef({ drawn, lines, yRange, fixed });
  useEffect(() => {
    current.current = { drawn, lines, yRange, fixed };
  }, [drawn, lines, yRange, fixed]);

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const colors = getComputedStyle(document.documentElement);
    const muted = colors.getPropertyValue("--muted");
    const grid = { stroke: colors.getPropertyValue("--line"), width: 1 };
    const axisStyle = { stroke: muted, grid, ticks: grid, font: "11px system-ui, sans-serif" };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: {
          sync: { key: sync, setSeries: false },
          drag: { x: true, y: false, setScale: false },
          points: { size: 6 },
          y: false,
        },
        scales: {
          x: { time: axis === "wall", distr: logX ? 3 : 1 },
          y: { distr: logY ? 3 : 1, range: (_plot, low, high) => yRangeOf(low, high, logY, current.current) },
        },
        tzDate: timeZone === "local" ? undefined : (seconds) => uPlot.tzDate(new Date(seconds * 1000), timeZone),
        axes: [
          {
            ...axisStyle,
            size: 28,
            values: axis === "relative" ? (_plot, values) => values.map(shortDuration) : undefined,
          },
          { ...axisStyle, size: 56, values: (_plot, values) => values.map((value) => formatNumber(value, 3)) },
        ],
        series: current.current.drawn.series,
        bands: current.current.drawn.bands,
        hooks: {
          draw: [(self) => drawMarks(self, current.current.lines, byId)],
          setCursor: [(self) => setPointed(pointedAt(self, current.current.lines))],
          setSelect: [
            (self) => {
              if (self.select.width < 4) return;
              const at = (left: number) => self.posToVal(left, "x");
              zoom.current([at(self.select.left), at(self.select.left + self.select.width)]);
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      current.current.drawn.data,
      element,
    );
    chart.current = plot;
    canvasRef(plot.ctx.canvas);
    const resize = new ResizeObserver(() => {
      if (element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height });
    });
    resize.observe(element);
    const highlight = () => {
      const runId = highlightedRun.get();
      plot.series.forEach((series, at) => {
        if (series.label) plot.series[at]!.width = series.label === runId ? HIGHLIGHT_WIDTH : LINE_WIDTH;
      });
      plot.redraw(false);
    };
    const stopWatching = highlightedRun.watch(highlight);
    return () => {
      resize.disconnect();
      stopWatching();
      plot.destroy();
      chart.current = undefined;
      canvasRef(undefined);
    };
    // The rest is read from `current` when it is needed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape, canvasRef]);
  useEffect(() => {
    chart.current?.setData(drawn.data);
  }, [drawn]);

  function pointAtLine() {
    const runId = chart.current && nearestLine(chart.current);
    highlightedRun.set(runId);
    setNear(runId === undefined ? undefined : byId.get(runId));
  }

  function open() {
    // Not what was near when this was drawn: a click may come before the last move is.
    const runId = chart.current && nearestLine(chart.current);
    const address = runId === undefined ? undefined : byId.get(runId)?.address;
    clearTimeout(opening.current);
    if (address !== undefined) opening.current = setTimeout(() => location.assign(address), DOUBLE_CLICK_MS);
  }

  const rows = pointed?.rows ?? [];
  const shownRows = rows.slice(0, isOver ? MAX_LEGEND_ROWS : MAX_FOLLOWING_ROWS);
  return (
    // The same pages are reached by the keyboard from the names of the runs.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
    <div
      className={`line-chart ${near?.address === undefined ? "" : "near"}`}
      onMouseEnter={() => setOver(true)}
      onMouseMove={pointAtLine}
      onClick={open}
      onDoubleClick={() => {
        clearTimeout(opening.current);
        onZoom(undefined);
      }}
      onMouseLeave={() => {
        setOver(false);
        setNear(undefined);
        setPointed(undefined);
        highlightedRun.set(undefined);
      }}
    >
      <div ref={place} style={{ height }} />
      {pointed && rows.length > 0 && (
        <div className="line-chart-legend" style={pointed.isRight ? { left: 60 } : { right: 8 }}>
          <div className="muted">{xText(pointed.x, axis, timeZone)}</div>
          {shownRows.map(({ runId, value, group }) => (
            <div key={runId} className="line-chart-row">
              <span className="line-chart-key" style={{ background: byId.get(runId)?.color }} />
              <span className="truncate">{byId.get(runId)?.name}</span>
              <b>{formatNumber(value, group ? 4 : 6)}</b>
              {group && (
                <span className="line-chart-spread muted">
                  {spreadText(group.low, group.high)}, {t.charts.runCount(group.count)}
                </span>
              )}
            </div>
          ))}
          {rows.length > shownRows.length && (
            <div className="muted">{t.charts.more(rows.length - shownRows.length)}</div>
          )}
        </div>
      )}
    </div>
  );
}

function yRangeOf(
  low: number | null,
  high: number | null,
  logY: boolean,
  { yRange, fixed }: { yRange: [number, number] | undefined; fixed: { min?: number; max?: number } },
): [number | null, number | null] {
  let [start, end] = yRange ?? [low ?? 0, high ?? 1];
  if (!logY) {
    const room = (end - start || Math.abs(end) || 1) * 0.05;
    [start, end] = [start - room, end + room];
  } else {
    [start, end] = [start / 1.2, end * 1.2];
  }
  return [fixed.min ?? start, fixed.max ?? end];
}

/** Triangles at the bottom for NaN, arrows at the edge for what is infinite, in the colour of their run. */
function drawMarks(plot: uPlot, lines: Lines, runs: ReadonlyMap<string, ChartRun>): void {
  const { ctx, bbox } = plot;
  const size = MARK_SIZE * devicePixelRatio;
  ctx.save();
  for (const { runId, x, kind } of lines.marks) {
    const left = plot.valToPos(x, "x", true);
    if (left < bbox.left || left > bbox.left + bbox.width) continue;
    const top = kind === "high" ? bbox.top + size : bbox.top + bbox.height - size;
    const tip = kind === "low" ? size : -size;
    ctx.beginPath();
    ctx.moveTo(left, top + tip);
    ctx.lineTo(left - size, top - tip / 2);
    ctx.lineTo(left + size, top - tip / 2);
    ctx.closePath();
    const color = runs.get(runId)?.color ?? "#888";
    ctx.strokeStyle = ctx.fillStyle = color;
    ctx.lineWidth = devicePixelRatio;
    if (kind === "nan") ctx.stroke();
    else ctx.fill();
  }
  ctx.restore();
}

/** The runs at the cursor: of each the last value at its place or before it, the greatest first. */
function pointedAt(plot: uPlot, lines: Lines): Pointed | undefined {
  const at = plot.cursor.idx;
  const left = plot.cursor.left;
  if (at === null || at === undefined || left === undefined || left < 0) return undefined;
  const rows = lines.runs.flatMap(({ runId, last, min, max, counts }): PointedRow[] => {
    // A run may have no point just here; it has a line all the same, up to its last point.
    if (last.slice(at).every((value) => value === null)) return [];
    let place = at;
    while (place >= 0 && last[place] === null) place--;
    const value = last[place];
    if (value === null || value === undefined) return [];
    return [{ runId, value, group: counts && { low: min[place]!, high: max[place]!, count: counts[place]! } }];
  });
  return { x: lines.x[at]!, isRight: left > plot.over.clientWidth / 2, rows: rows.sort((a, b) => b.value - a.value) };
}

/** The label of the line at the cursor, as it is drawn; undefined where none is near. */
function nearestLine(plot: uPlot): string | undefined {
  const { left, top, idx } = plot.cursor;
  if (left === undefined || top === undefined || left < 0 || typeof idx !== "number") return undefined;
  let found: string | undefined;
  let least = NEAR_PX;
  const xs = plot.data[0];
  const leftOf = (at: number) => plot.valToPos(xs[at]!, "x");
  plot.series.forEach(({ label }, number) => {
    const values = plot.data[number]!;
    if (number === 0 || typeof label !== "string" || label === "") return;
    // The points of the line on both sides of the cursor.
    let before = idx;
    while (before >= 0 && (leftOf(before) > left || values[before] == null)) before--;
    let after = idx;
    while (after < xs.length && (leftOf(after) < left || values[after] == null)) after++;
    const ends = [before, after].filter((at) => at >= 0 && at < xs.length);
    if (ends.length === 0) return;
    const [start, end] = [ends[0]!, ends.at(-1)!];
    const [x0, x1] = [leftOf(start), leftOf(end)];
    const [y0, y1] = [plot.valToPos(values[start]!, "y"), plot.valToPos(values[end]!, "y")];
    const span = (x1 - x0) ** 2 + (y1 - y0) ** 2;
    const along = span === 0 ? 0 : ((left - x0) * (x1 - x0) + (top - y0) * (y1 - y0)) / span;
    const share = Math.min(1, Math.max(0, along));
    const distance = Math.hypot(left - x0 - share * (x1 - x0), top - y0 - share * (y1 - y0));
    if (distance >= least) return;
    least = distance;
    found = label;
  });
  return found;
}

function shortDuration(seconds: number): string {
  if (seconds < 60) return `${formatNumber(seconds, 3)} s`;
  if (seconds < 3600) return `${formatNumber(seconds / 60, 3)} min`;
  return seconds < 86400 ? `${formatNumber(seconds / 3600, 3)} h` : `${formatNumber(seconds / 86400, 3)} d`;
}

function xText(x: number, axis: XAxis, timeZone: string): string {
  if (axis === "step") return formatNumber(x);
  return axis === "relative" ? formatDuration(x * 1000) : formatTime(x * 1000, timeZone);
}
