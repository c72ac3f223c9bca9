import { describe, expect, test } from "vitest";
import { check } from "./check";
import { complete, type Context, examplesOf, nameSearch, take } from "./complete";
import type { Entity } from "./vocabulary";

const NAMES = {
  metrics: ["accuracy", "train/loss", "val/loss"],
  params: ["lr", "optimizer"],
  tags: ["loss_kind", "team"],
};
const CONTEXT: Context = { entity: "runs", names: NAMES, nowMs: 1_790_000_000_000 };

/** What is offered at the `|` in a filter. */
function offered(marked: string, context: Partial<Context> = {}) {
  const caret = marked.indexOf("|");
  return complete(marked.replace("|", ""), caret, { ...CONTEXT, ...context });
}
const labels = (marked: string, context?: Partial<Context>) => offered(marked, context).items.map(({ label }) => label);

/** The filter after the completion of that label is taken, with `|` where the caret is. */
function taken(marked: string, label: string, context?: Partial<Context>): string {
  const item = offered(marked, context).items.find((each) => each.label === label);
  if (!item) throw new Error(`${label} is not offered at ${marked}`);
  const { text, caret } = take(marked.replace("|", ""), item);
  return `${text.slice(0, caret)}|${text.slice(caret)}`;
}

describe("fields", () => {
  test("an empty filter offers attributes, then what was logged", () => {
    expect(labels("|").slice(0, 2)).toEqual(["run_name", "status"]);
    expect(labels("|")).toContain("metrics.val/loss");
  });

  test("a part of a name is enough; closer names come first", () => {
    expect(labels("(loss|")).toEqual(["tags.loss_kind", "metrics.train/loss", "metrics.val/loss"]);
    expect(labels("(LR|")).toEqual(["params.lr"]);
  });

  test("a prefix narrows them to its own", () => {
    expect(labels("metrics.|")).toEqual(["metrics.accuracy", "metrics.train/loss", "metrics.val/loss"]);
    expect(labels("tag.t|")).toEqual(["tags.team"]);
    expect(labels("dataset.|")).toEqual(["dataset.name", "dataset.digest", "dataset.context"]);
  });

  test("names are put in backticks where they need it, however they were begun", () => {
    for (const begun of ["val|", "metrics.val|", "metrics.val/l|", "metrics.`val/l|", "metrics.`val/l|`"]) {
      expect(taken(begun, "metrics.val/loss")).toBe("metrics.`val/loss` |");
    }
    expect(taken("status = 'x' AND metrics.`v| < 1", "metrics.val/loss")).toBe(
      "status = 'x' AND metrics.`val/loss` |< 1",
    );
  });

  test("in the middle of a name the whole of it is replaced", () => {
    expect(taken("params.op|tim = 'adam'", "params.optimizer")).toBe("params.optimizer |= 'adam'");
  });

  test("after AND, OR, NOT and parentheses there are fields again", () => {
    for (const begun of ["NOT |", "(|", "lr = 'a' |", "status = 'x' OR |", "status = 'x' AND (|"]) {
      const isField = labels(begun).includes("status");
      expect(isField).toBe(!begun.startsWith("lr"));
    }
  });

  test("each entity offers its own", () => {
    expect(labels("creat|", { entity: "experiments" })).toContain("creation_time");
    expect(labels("metr|", { entity: "experiments" })).not.toContain("metrics.accuracy");
  });
});

describe("comparators", () => {
  test("are those of what the field holds", () => {
    expect(labels("metrics.accuracy |").slice(0, 2)).toEqual(["<", "<="]);
    expect(labels("metrics.accuracy |")).not.toContain("LIKE");
    expect(labels("params.lr |")).toContain("ILIKE");
    expect(labels("params.lr |")).not.toContain("<");
    expect(labels("experiment_id |")).toEqual(["=", "!=", "IN", "NOT IN", "IS NULL", "IS NOT NULL"]);
  });

  test("are narrowed by what is written", () => {
    expect(labels("params.lr i|").slice(0, 4)).toEqual(["ILIKE", "IN", "IS NULL", "IS NOT NULL"]);
    expect(labels("params.lr not |")).toEqual(["IN", "ILIKE", "LIKE"]);
    expect(labels("params.lr is n|")).toEqual(["NULL", "NOT NULL"]);
  });

  test("a list is opened with IN, and a space put after a closed backtick", () => {
    expect(taken("params.lr |", "IN")).toBe("params.lr IN (|");
    expect(taken("metrics.`val/loss`|", "<")).toBe("metrics.`val/loss` < |");
  });
});

describe("values", () => {
  test("of params are asked of the server and put in quotes", () => {
    expect(offered("params.optimizer = |").values).toEqual({ column: "params.optimizer", contains: "" });
    expect(offered("params.optimizer = 'ad|").values).toEqual({ column: "params.optimizer", contains: "ad" });
    const values = ["sgd", "adam", "o'neill"];
    expect(labels("params.optimizer = ad|", { values })).toEqual(["adam"]);
    expect(taken("params.optimizer = 'ad|", "adam", { values })).toBe("params.optimizer = 'adam' |");
    expect(taken("params.optimizer = 'ad|'", "adam", { values })).toBe("params.optimizer = 'adam' |");
    expect(taken("params.optimizer =|", "o'neill", { values })).toBe("params.optimizer = 'o''neill' |");
  });

  test("of statuses and stages are known", () => {
    expect(labels("status = |")[0]).toBe("FINISHED");
    expect(offered("status = |").values).toBeUndefined();
    expect(taken("status = fa|", "FAILED")).toBe("status = 'FAILED' |");
    expect(labels("lifecycle_stage != |")).toEqual(["active", "deleted"]);
  });

  test("in a list one follows the other", () => {
    const values = ["adam", "sgd"];
    expect(taken("params.optimizer IN (|", "adam", { values })).toBe("params.optimizer IN ('adam'|");
    expect(labels("params.optimizer IN ('adam'|")).toEqual([",", ")"]);
    expect(taken("params.optimizer IN ('adam'|", ",")).toBe("params.optimizer IN ('adam', |");
    expect(taken("params.optimizer IN ('adam', |", "sgd", { values })).toBe("params.optimizer IN ('adam', 'sgd'|");
  });

  test("of patterns contain what was written", () => {
    expect(taken("run_name ILIKE ad|", "%ad%")).toBe("run_name ILIKE '%ad%' |");
    expect(offered("run_name LIKE '%ad|").values).toEqual({ column: "attributes.run_name", contains: "ad" });
  });

  test("of times are moments ago, of metrics nobody's to offer", () => {
    expect(labels("start_time > |")).toEqual(["hour", "day", "week", "month"]);
    const text = taken("start_time > |", "day");
    expect(check(text.replace("|", ""), "runs")).toBeUndefined();
    expect(taken("duration BETWEEN |", "minute")).toBe("duration BETWEEN 60000 AND |");
    expect(offered("metrics.accuracy > |")).toMatchObject({ items: [], wantsNumber: true });
  });
});

describe("what joins clauses", () => {
  test("is offered after a complete clause and a space", () => {
    expect(labels("status = 'FAILED' |")).toEqual(["AND", "OR"]);
    expect(labels("status = 'FAILED' o|")).toEqual(["OR"]);
    expect(labels("(status = 'FAILED' |")).toEqual(["AND", "OR", ")"]);
    expect(labels("status = 'FAILED'|")).toEqual([]);
    expect(labels("metrics.accuracy > 0.5|")).toEqual([]);
    expect(labels("tags.team IS NULL |")).toEqual(["AND", "OR"]);
    expect(labels("duration BETWEEN 1 |")).toEqual(["AND"]);
  });

  test("nothing is offered behind what is wrong", () => {
    expect(labels("speed > 3 AND |")).toEqual([]);
  });
});

describe("plain words", () => {
  test.each(["adam 03", "adam", "sta", "03", "adam-03", "v1.2", "met"])("are a search for a name: %s", (words) => {
    const { items } = offered(`${words}|`);
    expect(items[0]).toMatchObject({ kind: "name", label: words });
    expect(items[0]?.text).toBe(`attributes.run_name ILIKE '%${words}%'`);
    expect(check(items[0]!.text, "runs")).toBeUndefined();
  });

  test.each(["", "status", "status in", "metrics.", "metrics.loss", "lr = 1", "'adam", "(adam", "not status"])(
    "the beginning of a clause is none: %s",
    (filter) => expect(nameSearch(filter, "runs")).toBeUndefined(),
  );

  test("completions of fields stand beneath it", () => {
    expect(labels("sta|").slice(0, 2)).toEqual(["sta", "status"]);
  });
});

test.each<Entity>(["runs", "experiments", "registered_models"])("the examples for %s are filters", (entity) => {
  const examples = examplesOf(entity, NAMES, 1_790_000_000_000);
  expect(new Set(examples).size).toBe(6);
  for (const example of examples) expect(check(example, entity, NAMES)).toBeUndefined();
});
