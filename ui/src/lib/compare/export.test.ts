import { expect, it } from "vitest";
import { comparisonCsv, comparisonMarkdown } from "./export";
import type { CompareGroup } from "./table";

const runs = [
  { runId: "a", name: "first" },
  { runId: "b", name: "second, again" },
];
const groups: CompareGroup[] = [
  { name: "params", rows: [{ key: "a|b", values: ["x\ny", undefined], differs: true, isMarked: true }] },
  {
    name: "metrics",
    rows: [
      { key: "loss", values: ["0.123457", "∞"], numbers: [0.123456789, Infinity], differs: true, isMarked: false },
    ],
  },
  { name: "tags", rows: [] },
];

it("writes CSV with all digits", () => {
  expect(comparisonCsv(runs, groups)).toBe(
    'group,name,first,"second, again"\r\nparams,a|b,"x\ny",\r\nmetrics,loss,0.123456789,inf\r\n',
  );
});

it("writes Markdown tables, of the groups that have rows", () => {
  const titled = groups.map((group) => ({ ...group, title: group.name }));
  expect(comparisonMarkdown(runs, titled)).toBe(
    [
      "## params",
      "",
      "|  | first | second, again |",
      "|---|---|---|",
      "| a\\|b | x y |  |",
      "",
      "## metrics",
      "",
      "|  | first | second, again |",
      "|---|---:|---:|",
      "| loss | 0.123457 | ∞ |",
      "",
    ].join("\n"),
  );
});
