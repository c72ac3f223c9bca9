import { parquetMetadata, parquetReadObjects } from "hyparquet";
import Papa from "papaparse";
import { afterEach, expect, test, vi } from "vitest";
import { countRuns, csvWriter, type ExportScope, exportRuns, fileName, parquetWriter } from "./exportRuns";

const SCOPE: ExportScope = {
  experimentIds: ["1"],
  filter: "metrics.loss < 1",
  orderBy: ["metrics.loss ASC"],
  viewType: "ACTIVE_ONLY",
};
const COLUMNS = [
  "attributes.run_id",
  "attributes.start_time",
  "attributes.duration",
  "attributes.datasets",
  "metrics.val/loss",
  "params.note",
];
const PAGE = {
  runIds: ["a", "b", "c", "d"],
  columns: {
    "attributes.run_id": ["a", "b", "c", "d"],
    "attributes.start_time": [1_790_000_000_123, null, 0, 5],
    "attributes.duration": [1500, null, 0, 5],
    "attributes.datasets": [["usage (d1)", "x"], [], null, null],
    "metrics.val/loss": [0.1, "NaN", "-Infinity", null],
    "params.note": ['say "hi", you', "two\nlines", "=1+1", "ñandú 🌳"],
  },
};

afterEach(() => vi.unstubAllGlobals());

/** Stands in for a server with `total` runs; what it was asked is in the list that is given back. */
function stubServer(total: number) {
  const asked: { path: string; body: Record<string, unknown> }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const body = JSON.parse(await request.text()) as Record<string, unknown>;
    const path = new URL(request.url).pathname;
    asked.push({ path, body });
    request.signal.throwIfAborted();
    if (path.endsWith("/runs/ids")) return Response.json({ run_ids: ["r0"], total_count: total });
    const first = Number(body.page_token ?? 0);
    const last = Math.min(total, first + Number(body.max_results));
    const ids = (body.run_ids as string[]) ?? Array.from({ length: last - first }, (_, at) => `r${first + at}`);
    const columns = Object.fromEntries(
      (body.columns as string[]).map((name) => [name, ids.map((id) => `${name} of ${id}`)]),
    );
    return Response.json({
      run_ids: ids,
      columns,
      next_page_token: !body.run_ids && last < total ? String(last) : null,
    });
  });
  return asked;
}

const options = (signal = new AbortController().signal) => ({ signal, onProgress: vi.fn() });

test("a CSV file holds every value as it was logged", async () => {
  const writer = csvWriter(COLUMNS);
  writer.add(PAGE);
  const text = await (await writer.finish()).text();
  expect(text.split("\r\n")[0]).toBe("run_id,start_time,duration,datasets,metrics.val/loss,params.note");
  expect(Papa.parse<string[]>(text.trimEnd(), { newline: "\r\n" }).data.slice(1)).toEqual([
    ["a", "2026-09-21T14:13:20.123Z", "1500", '["usage (d1)","x"]', "0.1", 'say "hi", you'],
    ["b", "", "", "[]", "NaN", "two\nlines"],
    ["c", "1970-01-01T00:00:00.000Z", "0", "", "-inf", "=1+1"],
    ["d", "1970-01-01T00:00:00.005Z", "5", "", "", "ñandú 🌳"],
  ]);
});

test("a Parquet file holds typed columns, and NaN apart from what is absent", async () => {
  const writer = parquetWriter(COLUMNS);
  writer.add(PAGE);
  const file = await (await writer.finish()).arrayBuffer();
  const rows = await parquetReadObjects({ file });
  expect(rows).toEqual([
    {
      run_id: "a",
      start_time: new Date(1_790_000_000_123),
      duration: 1500n,
      datasets: '["usage (d1)","x"]',
      "metrics.val/loss": 0.1,
      "params.note": 'say "hi", you',
    },
    {
      run_id: "b",
      start_time: null,
      duration: null,
      datasets: "[]",
      "metrics.val/loss": NaN,
      "params.note": "two\nlines",
    },
    {
      run_id: "c",
      start_time: new Date(0),
      duration: 0n,
      datasets: null,
      "metrics.val/loss": -Infinity,
      "params.note": "=1+1",
    },
    {
      run_id: "d",
      start_time: new Date(5),
      duration: 5n,
      datasets: null,
      "metrics.val/loss": null,
      "params.note": "ñandú 🌳",
    },
  ]);
  const types = parquetMetadata(file)
    .schema.slice(1)
    .map(({ type, converted_type }) => converted_type ?? type);
  expect(types).toEqual(["UTF8", "TIMESTAMP_MILLIS", "INT64", "UTF8", "DOUBLE", "UTF8"]);
});

test("a Parquet file without runs, or with columns that are all absent, can be read", async () => {
  const writer = parquetWriter(COLUMNS);
  expect(await parquetReadObjects({ file: await (await writer.finish()).arrayBuffer() })).toEqual([]);
  writer.add({ runIds: ["a"], columns: { "attributes.run_id": ["a"] } });
  const [row] = await parquetReadObjects({ file: await (await writer.finish()).arrayBuffer() });
  expect(row).toMatchObject({ run_id: "a", "metrics.val/loss": null, "params.note": null });
});

test("all pages are read, with the filter and the order of the table", async () => {
  const asked = stubServer(4500);
  const told = options();
  const file = await exportRuns(SCOPE, ["params.a"], "csv", told);
  const lines = (await file.text()).trimEnd().split("\r\n");
  expect(lines).toHaveLength(4501);
  expect(lines.slice(0, 2)).toEqual(["run_id,params.a", "r0,params.a of r0"]);
  expect(lines.at(-1)).toBe("r4499,params.a of r4499");
  expect(told.onProgress.mock.calls).toEqual([[2000], [4000], [4500]]);
  expect(asked[1]?.body).toEqual({
    experiment_ids: ["1"],
    filter: "metrics.loss < 1",
    run_view_type: "ACTIVE_ONLY",
    columns: ["params.a"],
    order_by: ["metrics.loss ASC"],
    max_results: 2000,
    page_token: "2000",
  });
});

test("more columns than one question may name are asked for in parts", async () => {
  const asked = stubServer(3);
  const columns = Array.from({ length: 2300 }, (_, at) => `params.p${at}`);
  const text = await (await exportRuns(SCOPE, columns, "csv", options())).text();
  expect(asked.map(({ body }) => (body.columns as string[]).length)).toEqual([1000, 1000, 300]);
  expect(asked[0]?.body.max_results).toBe(173);
  expect(asked[2]?.body.run_ids).toEqual(["r0", "r1", "r2"]);
  expect(text.split("\r\n")[1]?.split(",").at(-1)).toBe("params.p2299 of r0");
});

test("an export that is cancelled asks for nothing more", async () => {
  const asked = stubServer(10_000);
  const controller = new AbortController();
  const promise = exportRuns(SCOPE, ["params.a"], "csv", {
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(promise).rejects.toThrow();
  expect(asked.length).toBeLessThanOrEqual(2);
});

test("runs are counted without being read", async () => {
  const asked = stubServer(77);
  expect(await countRuns(SCOPE, new AbortController().signal)).toBe(77);
  expect(asked[0]?.body.max_results).toBe(1);
});

test("files are called after the experiment", () => {
  expect(fileName("churn prediction", "csv")).toBe("churn prediction-runs.csv");
  expect(fileName("team/a:b?.", "parquet")).toBe("team_a_b_-runs.parquet");
  expect(fileName("..", "csv")).toBe("experiment-runs.csv");
});
