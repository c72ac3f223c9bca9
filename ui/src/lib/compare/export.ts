// A comparison of runs as a file, or as text for a report.
import { csvOf } from "../plots/data";
import type { CompareGroup } from "./table";

interface ExportedRun {
  runId: string;
  name: string;
}

/** A row for each row of the comparison, a column for each run. Metrics have all their digits. */
export function comparisonCsv(runs: readonly ExportedRun[], groups: readonly CompareGroup[]): string {
  return csvOf({
    header: ["group", "name", ...runs.map(({ name }) => name)],
    rows: groups.flatMap(({ name, rows }) =>
      rows.map(({ key, values, numbers }) => [
        name,
        key,
        ...values.map((value, at) => {
          const number = numbers?.[at];
          // What reads tables knows nan and inf by these words.
          return name === "metrics" && number !== undefined ? String(number).replace("Infinity", "inf") : (value ?? "");
        }),
      ]),
    ),
  });
}

/** A table for each group, in the Markdown that GitHub and others understand. */
export function comparisonMarkdown(
  runs: readonly ExportedRun[],
  groups: readonly (CompareGroup & { title: string })[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(" | ")} |`;
  return groups
    .filter(({ rows }) => rows.length > 0)
    .map(({ title, rows }) => {
      const rule = `|---|${runs.map(() => (rows.every((row) => row.numbers) ? "---:" : "---")).join("|")}|`;
      const body = rows.map(({ key, values }) => line([key, ...values.map((value) => value ?? "")]));
      return [`## ${title}`, "", line(["", ...runs.map(({ name }) => name)]), rule, ...body, ""].join("\n");
    })
    .join("\n");
}

function escaped(text: string): string {
  return text
    .replace(/[\\|`*_<>[\]]/g, (sign) => `\\${sign}`)
    .replace(/\s*\n\s*/g, " ")
    .trim();
}
