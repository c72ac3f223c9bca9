// A chart as an SVG document, for papers and slides.
import { formatNumber } from "../format";
import type { Lines } from "./series";

export interface SvgOptions {
  title: string;
  /** What x is measured in. */
  xLabel: string;
  /** The name and the CSS colour of each run, by id. */
  runs: ReadonlyMap<string, { name: string; color: string }>;
  logX: boolean;
  logY: boolean;
  yRange: [number, number];
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 64;
const RIGHT = 16;
const TOP = 36;
const BOTTOM = 44;
const LEGEND_ROW = 18;
const TICKS = 5;

/** The text of an SVG document with axes, lines and a legend; everything that comes from a run is escaped. */
export function chartSvg(lines: Lines, options: SvgOptions): string {
  const { logX, logY, yRange } = options;
  const xRange: [number, number] = [lines.x[0] ?? 0, lines.x.at(-1) ?? 1];
  const toX = scale(xRange, [LEFT, WIDTH - RIGHT], logX);
  const toY = scale(yRange, [HEIGHT - BOTTOM, TOP], logY);
  const parts: string[] = [];
  for (const x of ticks(xRange, logX)) {
    parts.push(
      `<text x="${toX(x).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${formatNumber(x, 4)}</text>`,
    );
  }
  for (const y of ticks(yRange, logY)) {
    const at = toY(y).toFixed(1);
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#ddd"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${at}" dy="0.35em" text-anchor="end">${formatNumber(y, 4)}</text>`);
  }
  const legend: string[] = [];
  lines.runs.forEach(({ runId, last }, at) => {
    const run = options.runs.get(runId);
    const color = escaped(run?.color ?? "#000");
    const points = last
      .map((value, place) => (value === null ? "" : `${toX(lines.x[place]!).toFixed(1)},${toY(value).toFixed(1)}`))
      .filter(Boolean);
    parts.push(
      points.length > 1
        ? `<polyline points="${points.join(" ")}" fill="none" stroke="${color}" stroke-width="1.5"/>`
        : points.map((point) => `<circle cx="${point.replace(",", '" cy="')}" r="3" fill="${color}"/>`).join(""),
    );
    const y = HEIGHT + 8 + at * LEGEND_ROW;
    legend.push(`<rect x="${LEFT}" y="${y}" width="10" height="10" fill="${color}"/>`);
    legend.push(`<text x="${LEFT + 16}" y="${y + 9}">${escaped(run?.name ?? runId)}</text>`);
  });
  const height = HEIGHT + 16 + lines.runs.length * LEGEND_ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="14" font-weight="bold">${escaped(options.title)}</text>`,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escaped(options.xLabel)}</text>`,
    `<clipPath id="plot"><rect x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT - RIGHT}" height="${HEIGHT - TOP - BOTTOM}"/></clipPath>`,
    ...parts.map((part) => (part.startsWith("<poly") || part.startsWith("<circle") ? clipped(part) : part)),
    `<rect x="${LEFT}" y="${TOP}" width="${WIDTH - LEFT - RIGHT}" height="${HEIGHT - TOP - BOTTOM}" fill="none" stroke="#888"/>`,
    ...legend,
    "</svg>",
  ].join("\n");
}

function clipped(part: string): string {
  return `<g clip-path="url(#plot)">${part}</g>`;
}

function scale(from: [number, number], to: [number, number], isLog: boolean): (value: number) => number {
  const map = isLog ? (value: number) => Math.log10(Math.max(value, Number.MIN_VALUE)) : (value: number) => value;
  const [start, end] = [map(from[0]), map(from[1])];
  // A range of one value is drawn in the middle.
  if (start === end) return () => (to[0] + to[1]) / 2;
  return (value) => to[0] + ((map(value) - start) / (end - start)) * (to[1] - to[0]);
}

/** Round values within a range: powers of ten on a logarithmic axis. */
function ticks([low, high]: [number, number], isLog: boolean): number[] {
  if (isLog && low > 0) {
    const first = Math.ceil(Math.log10(low));
    const count = Math.floor(Math.log10(high)) - first + 1;
    const step = Math.max(1, Math.ceil(count / (TICKS + 2)));
    const powers = Array.from({ length: Math.ceil(count / step) }, (_, at) => 10 ** (first + at * step));
    if (powers.length > 1) return powers;
  }
  if (!(high > low)) return [low];
  const rough = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const found: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step / 1e6; tick += step) {
    found.push(Number(tick.toPrecision(12)));
  }
  return found;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
