import { describe, expect, it } from "vitest";
import { parseColumn } from "./columns";
import { both, childrenFilter, fieldOf, formatOrder, groupFilter, nextOrder, orderBy, parseOrder } from "./scope";

const column = (name: string) => parseColumn(name)!;

describe("the words of the server", () => {
  it("quote keys with other characters, and double backticks in them", () => {
    expect(fieldOf(column("metrics.loss"))).toBe("metrics.loss");
    expect(fieldOf(column("metrics.val/loss"))).toBe("metrics.`val/loss`");
    expect(fieldOf(column("params.a`b"))).toBe("params.`a``b`");
  });

  it("join two filters without changing what either means", () => {
    expect(both("a = 1 OR b = 2", "c = 3")).toBe("(a = 1 OR b = 2) AND (c = 3)");
    expect(both("", "c = 3")).toBe("c = 3");
    expect(both(undefined, " ")).toBeUndefined();
  });

  it("find the runs of a group, those without a value too", () => {
    expect(groupFilter(["params.optimizer", "tags.team"], ["it's", null])).toBe(
      "params.optimizer = 'it''s' AND tags.team IS NULL",
    );
  });

  it("find children by their parent", () => {
    expect(childrenFilter("abc")).toBe("tags.`mlflow.parentRunId` = 'abc'");
  });
});

describe("orders", () => {
  it("read what they write", () => {
    const order = { column: "metrics.val loss", descending: true };
    expect(parseOrder(formatOrder(order))).toEqual(order);
    expect(parseOrder("junk")).toBeUndefined();
    expect(parseOrder(undefined)).toBeUndefined();
    expect(orderBy(order)).toEqual(["metrics.`val loss` DESC"]);
    expect(orderBy(undefined)).toEqual([]);
  });

  it("go round by clicks: numbers from the greatest, texts from the first, then none", () => {
    const metric = column("metrics.loss");
    const first = nextOrder(undefined, metric);
    expect(first).toEqual({ column: "metrics.loss", descending: true });
    const second = nextOrder(first, metric);
    expect(second).toEqual({ column: "metrics.loss", descending: false });
    expect(nextOrder(second, metric)).toBeUndefined();
    expect(nextOrder(first, column("params.lr"))).toEqual({ column: "params.lr", descending: false });
  });
});
