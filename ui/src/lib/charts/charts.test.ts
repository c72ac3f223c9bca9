import { describe, expect, it } from "vitest";
import type { Metric } from "../../api/schema";
import { seriesCsv } from "./csv";
import { foundKeys, movedCard, sectionsOf, toggledIn } from "./sections";
import { placesOf, rangeWithoutOutliers, toLines, toSeries } from "./series";
import { smooth } from "./smooth";
import { chartSvg } from "./svg";

const point = (run_id: string, step: number, value: number | string, timestamp = step * 1000): Metric => ({
  key: "loss",
  run_id,
  step,
  value,
  timestamp,
});
const STEP = { axis: "step", logX: false, logY: false, maxPlaces: 1000 } as const;

describe("series", () => {
  it("are points by run in the order of steps, for the runs that have any", () => {
    const series = toSeries([point("a", 2, 2), point("b", 0, 1), point("a", 1, 1)], ["a", "b", "c"]);
    expect(series.map(({ runId, points }) => [runId, points.map(({ step }) => step)])).toEqual([
      ["a", [1, 2]],
      ["b", [0]],
    ]);
  });

  it("begin at zero in relative time, each at its own first point", () => {
    const [series] = toSeries([point("a", 0, 1, 5000), point("a", 1, 1, 8000)], ["a"]);
    expect(placesOf(series!, "relative")).toEqual([0, 3]);
    expect(placesOf(series!, "wall")).toEqual([5, 8]);
  });

  it("share one x, with gaps where a run has no point", () => {
    const lines = toLines(toSeries([point("a", 0, 1), point("a", 2, 3), point("b", 1, 5)], ["a", "b"]), STEP);
    expect(lines.x).toEqual([0, 1, 2]);
    expect(lines.runs.map(({ last }) => last)).toEqual([
      [1, null, 3],
      [null, 5, null],
    ]);
  });

  it("keep the least and the greatest of the points that share a place", () => {
    const points = Array.from({ length: 100 }, (_, step) => point("a", step, step === 41 ? 99 : step % 2));
    const [line] = toLines(toSeries(points, ["a"]), { ...STEP, maxPlaces: 10 }).runs;
    expect(line!.hasBand).toBe(true);
    expect(Math.max(...line!.max.map(Number))).toBe(99);
    expect(Math.min(...line!.min.map(Number))).toBe(0);
    expect(line!.last.length).toBeLessThanOrEqual(10);
  });

  it("mark what no line can go through, and count what a logarithm cannot show", () => {
    const points = [point("a", 0, "NaN"), point("a", 1, "Infinity"), point("a", 2, "-Infinity"), point("a", 3, -1)];
    const lines = toLines(toSeries(points, ["a"]), { ...STEP, logY: true });
    expect(lines.marks.map(({ kind }) => kind)).toEqual(["nan", "high", "low"]);
    expect(lines.leftOut).toBe(1);
    expect(lines.runs[0]!.last).toEqual([]);
  });

  it("know the range without what is far from the rest", () => {
    const points = Array.from({ length: 200 }, (_, step) => point("a", step, step === 7 ? 1e6 : step / 100));
    const [low, high] = rangeWithoutOutliers(toLines(toSeries(points, ["a"]), STEP))!;
    expect(low).toBeGreaterThanOrEqual(0);
    expect(high).toBeLessThan(3);
    expect(rangeWithoutOutliers(toLines(toSeries(points.slice(0, 3), ["a"]), STEP))).toBeUndefined();
  });
});

describe("smoothing", () => {
  it("changes nothing with weight 0, and leaves a constant as it is with any", () => {
    expect(smooth([1, null, 3], 0)).toEqual([1, null, 3]);
    for (const value of smooth([5, 5, 5, 5], 0.9)) expect(value).toBeCloseTo(5, 12);
  });

  it("is the average that its source defines, and passes over gaps", () => {
    const [first, gap, second] = smooth([1, null, 3], 0.5);
    expect(first).toBeCloseTo(1);
    expect(gap).toBeNull();
    // (1 * 0.5 * 0.5 + 3 * 0.5) / (1 - 0.5 ** 2)
    expect(second).toBeCloseTo(1.75 / 0.75);
  });
});

describe("sections", () => {
  const keys = ["acc", "train/loss", "val/acc", "val/loss"];

  it("are the parts of names before the last slash, the pinned first, without the hidden", () => {
    const sections = sectionsOf(keys, { version: 1, pinned: ["val/loss"], hidden: ["train/loss"] });
    expect(sections.map(({ prefix, isPinned, keys: members }) => [prefix, isPinned, members])).toEqual([
      ["", true, ["val/loss"]],
      ["", false, ["acc"]],
      ["val", false, ["val/acc"]],
    ]);
  });

  it("have the machine's metrics at their end", () => {
    const sections = sectionsOf(["system/cpu", "val/acc"], { version: 1 });
    expect(sections.map(({ prefix }) => prefix)).toEqual(["val", "system"]);
  });

  it("remember how cards were arranged, and append those that came later", () => {
    const [, section] = sectionsOf(keys, { version: 1 }).filter(({ prefix }) => prefix !== "");
    const layout = movedCard({ version: 1 }, section!, "val/loss", "val/acc");
    expect(layout.order).toEqual({ val: ["val/loss", "val/acc"] });
    const later = sectionsOf([...keys, "val/f1"], layout).find(({ prefix }) => prefix === "val");
    expect(later!.keys).toEqual(["val/loss", "val/acc", "val/f1"]);
  });

  it("are searched by words and by patterns", () => {
    expect(foundKeys(keys, "LOSS val")).toEqual(["val/loss"]);
    expect(foundKeys(keys, "/^(train|acc)/")).toEqual(["acc", "train/loss"]);
    expect(foundKeys(keys, "/(/")).toEqual([]);
  });

  it("toggle what is in a list, and leave no empty list behind", () => {
    expect(toggledIn(undefined, "a")).toEqual(["a"]);
    expect(toggledIn(["a"], "a")).toBeUndefined();
  });
});

describe("exports", () => {
  const series = toSeries([point("a", 0, 0.5), point("a", 1, "NaN"), point("a", 2, "Infinity")], ["a"]);

  it("write every point as numpy reads it, and quote names", () => {
    expect(seriesCsv(series, new Map([["a", 'the "best", run']])).split("\n")).toEqual([
      "run_id,run_name,step,timestamp,value",
      'a,"the ""best"", run",0,0,0.5',
      'a,"the ""best"", run",1,1000,NaN',
      'a,"the ""best"", run",2,2000,inf',
      "",
    ]);
  });

  it("draw a well-formed SVG in which nothing of a run is markup", () => {
    const lines = toLines(toSeries([point("a", 0, 1), point("a", 1, 2)], ["a"]), STEP);
    const svg = chartSvg(lines, {
      title: "<script>alert(1)</script>",
      xLabel: "step",
      runs: new Map([["a", { name: "a & b", color: '"/><script>' }]]),
      logX: false,
      logY: false,
      yRange: [1, 2],
    });
    const document = new DOMParser().parseFromString(svg, "image/svg+xml");
    expect(document.querySelector("parsererror")).toBeNull();
    expect(document.querySelector("script")).toBeNull();
    expect(document.querySelectorAll("polyline").length).toBe(1);
    expect(svg).toContain("a &#38; b");
  });
});
