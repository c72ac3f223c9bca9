// Runs side by side: what each has of everything, in groups of rows.
import type { Run } from "../../api/schema";
import { formatDuration, formatNumber, toNumber } from "../format";
import { commitLink } from "../gitLinks";
import { mapOf, rowOf } from "../models/comparison";
import { durationOf } from "../runFacts";

export type GroupName = "run" | "params" | "metrics" | "tags" | "code" | "datasets";

export interface CompareRow {
  key: string;
  /** One a run; undefined where it has none. */
  values: (string | undefined)[];
  differs: boolean;
  /** Whether a value that is not as the others' is worth a mark: of times and ids it is not. */
  isMarked: boolean;
  /** Of metrics, and of durations in milliseconds. */
  numbers?: (number | undefined)[];
  isDuration?: boolean;
  /** Where a value leads to. */
  links?: (string | undefined)[];
}

export interface CompareGroup {
  name: GroupName;
  rows: CompareRow[];
}

/** The least and the largest value of metrics of a run, by the metric's name. */
export type Extremes = ReadonlyMap<string, { min: number | undefined; max: number | undefined }>;

export interface TableWords {
  experiment: string;
  status: string;
  start: string;
  duration: string;
  user: string;
  runId: string;
  description: string;
  source: string;
  sourceType: string;
  entryPoint: string;
  commit: string;
  branch: string;
  repository: string;
  statusOf: (status: string) => string;
  experimentName: (experimentId: string) => string;
  timeText: (timeMs: number) => string;
}

const NOTE = "mlflow.note.content";
const CONTEXT = "mlflow.data.context";
const OWN_TAG = /^(mlflow|runyard)\./;

/** All rows of the comparison. Of metrics the last values, or, with `extremes`, the least or the largest. */
export function compareRuns(
  runs: readonly Run[],
  words: TableWords,
  nowMs: number,
  extremes?: { of: "min" | "max"; byRun: readonly (Extremes | undefined)[] },
): CompareGroup[] {
  return [
    { name: "run", rows: runRows(runs, words, nowMs) },
    { name: "params", rows: pairRows(runs.map((run) => mapOf(run.data.params))) },
    { name: "metrics", rows: metricRows(runs, extremes) },
    {
      name: "tags",
      rows: pairRows(runs.map((run) => mapOf((run.data.tags ?? []).filter(({ key }) => !OWN_TAG.test(key))))),
    },
    { name: "code", rows: codeRows(runs, words) },
    { name: "datasets", rows: pairRows(runs.map(datasetsOf)) },
  ];
}

function runRows(runs: readonly Run[], words: TableWords, nowMs: number): CompareRow[] {
  const tags = runs.map((run) => mapOf(run.data.tags));
  const durations = runs.map((run) => durationOf(run, nowMs));
  const text = (key: string, values: (string | undefined)[], isMarked = true) => textRow(key, values, isMarked);
  const rows = [
    text(
      words.experiment,
      runs.map((run) => words.experimentName(run.info.experiment_id)),
    ),
    text(
      words.status,
      runs.map((run) => words.statusOf(run.info.status)),
    ),
    text(
      words.start,
      runs.map((run) => (run.info.start_time ? words.timeText(run.info.start_time) : undefined)),
      false,
    ),
    {
      ...text(
        words.duration,
        durations.map((duration) => (duration === undefined ? undefined : formatDuration(duration))),
        false,
      ),
      numbers: durations,
      isDuration: true,
    },
    text(
      words.user,
      runs.map((run, at) => tags[at]!.get("mlflow.user") || run.info.user_id || undefined),
    ),
    text(
      words.runId,
      runs.map((run) => run.info.run_id),
      false,
    ),
    text(
      words.description,
      tags.map((map) => map.get(NOTE)),
    ),
  ];
  return rows.filter(hasValue);
}

function metricRows(
  runs: readonly Run[],
  extremes: { of: "min" | "max"; byRun: readonly (Extremes | undefined)[] } | undefined,
): CompareRow[] {
  const columns = runs.map((run, at) => {
    const found = extremes?.byRun[at];
    return new Map(
      (run.data.metrics ?? []).map(({ key, value }): [string, number | undefined] => [
        key,
        extremes ? found?.get(key)?.[extremes.of] : toNumber(value),
      ]),
    );
  });
  return keysOf(columns).map((key) => {
    const numbers = columns.map((column) => column.get(key));
    const values = numbers.map((number) => (number === undefined ? undefined : formatNumber(number)));
    // By the numbers, not by what their first digits look like.
    const differs = numbers.some((number) => !Object.is(number, numbers[0]));
    return { key, values, numbers, differs, isMarked: false };
  });
}

function codeRows(runs: readonly Run[], words: TableWords): CompareRow[] {
  const tags = runs.map((run) => mapOf(run.data.tags));
  const row = (key: string, tag: string) =>
    textRow(
      key,
      tags.map((map) => map.get(tag) || undefined),
      true,
    );
  const commits = row(words.commit, "mlflow.source.git.commit");
  const links = tags.map((map) =>
    commitLink(map.get("mlflow.source.git.repoURL"), map.get("mlflow.source.git.commit")),
  );
  return [
    row(words.source, "mlflow.source.name"),
    row(words.entryPoint, "mlflow.project.entryPoint"),
    row(words.sourceType, "mlflow.source.type"),
    { ...commits, links },
    row(words.branch, "mlflow.source.git.branch"),
    row(words.repository, "mlflow.source.git.repoURL"),
  ].filter(hasValue);
}

/** The digests of a run's datasets, by their names and what they were used for. */
function datasetsOf(run: Run): Map<string, string> {
  const found = new Map<string, string>();
  for (const { dataset, tags } of run.inputs.dataset_inputs ?? []) {
    const context = (tags ?? []).find(({ key }) => key === CONTEXT)?.value;
    const key = context ? `${dataset.name} (${context})` : dataset.name;
    const before = found.get(key);
    found.set(key, before === undefined ? dataset.digest : `${before}, ${dataset.digest}`);
  }
  return found;
}

function pairRows(columns: readonly ReadonlyMap<string, string>[]): CompareRow[] {
  return keysOf(columns).map((key) =>
    textRow(
      key,
      columns.map((column) => column.get(key)),
      true,
    ),
  );
}

function keysOf(columns: readonly ReadonlyMap<string, unknown>[]): string[] {
  const keys = new Set(columns.flatMap((column) => [...column.keys()]));
  return [...keys].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

function textRow(key: string, values: (string | undefined)[], isMarked: boolean): CompareRow {
  return { ...rowOf(key, values), isMarked };
}

function hasValue({ values }: CompareRow): boolean {
  return values.some((value) => value !== undefined);
}

/** The rows that the reader wants to see; groups in which none is left stay, empty. */
export function filterGroups(groups: readonly CompareGroup[], find: string, onlyDifferences: boolean): CompareGroup[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  return groups.map(({ name, rows }) => ({
    name,
    rows: rows.filter(
      ({ key, differs }) => (differs || !onlyDifferences) && words.every((word) => key.toLowerCase().includes(word)),
    ),
  }));
}

/** For each cell whether it is worth a mark: it is not as the baseline's, or, without one, not as most of its row. */
export function differentCells(row: CompareRow, baseline: number | undefined): boolean[] {
  if (!row.differs || !row.isMarked) return row.values.map(() => false);
  if (baseline !== undefined) return row.values.map((value) => value !== row.values[baseline]);
  const counts = new Map<string | undefined, number>();
  for (const value of row.values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const most = Math.max(...counts.values());
  // Where each is different none is the usual one.
  if (most === 1) return row.values.map(() => true);
  const usual = row.values.find((value) => counts.get(value) === most);
  return row.values.map((value) => value !== usual);
}
