// Versions of a model side by side: what each is, its params, metrics, tags and signature.
import type { LoggedModel, Metric, ModelVersion, Run } from "../../api/schema";
import type { Strings } from "../../i18n";
import { formatNumber, toNumber } from "../format";
import { compareColumns, type ComparedRow, mapOf, rowOf } from "./comparison";
import { ownMetrics } from "./loggedModels";
import { signatureOf } from "./signature";
import { stageOf } from "./stages";

export interface ComparedVersion {
  version: ModelVersion;
  run?: Run;
  loggedModel?: LoggedModel;
  /** The text of its MLmodel file; empty where it has none, undefined until it is read. */
  modelFile?: string;
}

export interface ComparedGroup {
  title: string;
  rows: ComparedRow[];
  /** Values are numbers, or lines of text that are kept as they are. */
  kind?: "numbers" | "text";
}

/** The groups of rows, one column a version. */
export function compareVersions(
  compared: ComparedVersion[],
  t: Strings,
  timeText: (timeMs: number) => string,
): ComparedGroup[] {
  const groups: ComparedGroup[] = [
    { title: t.models.about, rows: aboutRows(compared, t, timeText) },
    { title: t.models.params, rows: compareColumns(compared.map(paramsOf)) },
    { title: t.models.metrics, rows: metricRows(compared), kind: "numbers" },
    { title: t.common.tags, rows: compareColumns(compared.map(({ version }) => mapOf(version.tags))) },
  ];
  const signatures = compared.map(({ modelFile }) => signatureOf(modelFile ?? "", t.models));
  for (const [part, title] of [
    ["inputs", `${t.models.signature}: ${t.models.inputs}`],
    ["outputs", `${t.models.signature}: ${t.models.outputs}`],
    ["params", `${t.models.signature}: ${t.models.signatureParams}`],
  ] as const) {
    groups.push({ title, rows: compareColumns(signatures.map((signature) => signature?.[part] ?? new Map())) });
  }
  // That nothing was logged is worth a line; that there is no tag or signature is not.
  const always = [t.models.params, t.models.metrics];
  return groups.filter(({ title, rows }) => rows.length > 0 || always.includes(title));
}

function aboutRows(compared: ComparedVersion[], t: Strings, timeText: (timeMs: number) => string): ComparedRow[] {
  const row = (label: string, valueOf: (one: ComparedVersion) => string | undefined) =>
    rowOf(
      label,
      compared.map((one) => valueOf(one) || undefined),
    );
  return [
    row(t.models.stage, ({ version }) => t.models.stageNames[stageOf(version.current_stage)]),
    row(t.models.aliases, ({ version }) => (version.aliases ?? []).map((alias) => `@${alias}`).join(", ")),
    row(t.common.created, ({ version }) => timeText(version.creation_timestamp)),
    row(t.models.sourceRun, ({ version, run }) => run?.info.run_name ?? version.run_id),
    row(t.models.sourceUri, ({ version }) => version.source),
    row(t.common.description, ({ version }) => version.description),
  ].filter(({ values }) => values.some((value) => value !== undefined));
}

/** What the run has, and over it what the logged model has: versions of either kind have the same rows. */
function paramsOf({ run, loggedModel }: ComparedVersion): Map<string, string> {
  return mapOf([...(run?.data.params ?? []), ...(loggedModel?.data.params ?? [])]);
}

/** Metrics differ by their values; they are shown in fewer digits where these tell them apart. */
function metricRows(compared: ComparedVersion[]): ComparedRow[] {
  const rows = compareColumns(
    compared.map(({ run, loggedModel }) =>
      mapOf([...ownMetrics(run?.data.metrics ?? []), ...(loggedModel?.data.metrics ?? []).map(withDataset)]),
    ),
  );
  return rows.map((row) => {
    const short = row.values.map((value) => value && formatNumber(toNumber(value)));
    return new Set(short).size < new Set(row.values).size ? row : { ...row, values: short };
  });
}

/** A metric under a name that tells the dataset it was measured on: the same metric on another is another row. */
function withDataset({ key, value, dataset_name: name, dataset_digest: digest }: Metric) {
  return { key: name ? `${key} (${[name, digest].filter(Boolean).join(" ")})` : key, value };
}
