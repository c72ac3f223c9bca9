import { describe, expect, it } from "vitest";
import { ownAddress, ownRunsSearch } from "./upstreamAddresses";

describe("an address of upstream's", () => {
  it.each([
    ["/experiments/1/runs", {}, "/experiments/1"],
    ["/experiments/1/runs", { searchFilter: "a = 1" }, "/experiments/1?filter=a%20%3D%201"],
    ["/experiments/1/models", {}, "/experiments/1?tab=models"],
    ["/experiments/1/traces", {}, "/experiments/1"],
    ["/experiments/1/runs/abc/overview", {}, "/experiments/1/runs/abc"],
    ["/experiments/1/runs/abc/model-metrics", {}, "/experiments/1/runs/abc?tab=metrics"],
    ["/experiments/1/runs/abc/system-metrics", {}, "/experiments/1/runs/abc?tab=system"],
    ["/experiments/1/runs/abc/artifacts", {}, "/experiments/1/runs/abc?tab=artifacts"],
    ["/experiments/1/runs/abc/artifacts/a%20b/c.txt", {}, "/experiments/1/runs/abc?tab=artifacts&path=a%20b%2Fc.txt"],
    ["/experiments/1/runs/abc/artifactPath/model", {}, "/experiments/1/runs/abc?tab=artifacts&path=model"],
    ["/experiments/1/models/m-1/artifacts", {}, "/experiments/1/models/m-1"],
    ["/compare-experiments/s", { experiments: ["1", 2] }, "/experiments/1%2C2"],
    ["/models/churn%2F1/versions/3/artifacts", {}, "/models/churn%2F1/versions/3"],
  ])("%s shows ours", (path, search, expected) => {
    expect(ownAddress(path, search)).toBe(expected);
  });

  it("of a metric shows its curves", () => {
    const one = ownAddress("/metric/val/loss", { runs: ["abc"], experiments: ["1"], metric: "val/loss" });
    expect(one).toBe(
      `/experiments/1/runs/abc?tab=metrics&charts=${encodeURIComponent('{"version":1,"search":"val/loss"}')}`,
    );
    const several = ownAddress("/metric", { runs: ["abc", "def"], metric: "loss" });
    expect(several).toMatch(/^\/compare-runs\?runs=.*abc.*def.*&tab=curves&charts=/);
  });

  it("of versions side by side compares them", () => {
    expect(ownAddress("/compare-model-versions", { name: "churn", runs: { abc: "1", def: "2" } })).toBe(
      `/models/churn/compare?versions=${encodeURIComponent('["1","2"]')}`,
    );
  });

  it.each(["/prompts", "/gateway/keys", "/metric/loss", "/experiments", "/compare-experiments/s", "/models/a"])(
    "that has no page here is none: %s",
    (path) => {
      expect(ownAddress(path, {})).toBeUndefined();
    },
  );

  it("keeps the filter, the order and the kind of view of its runs", () => {
    expect(
      ownRunsSearch({
        searchFilter: "metrics.loss < 1",
        orderByKey: "metrics.`loss`",
        orderByAsc: true,
        lifecycleFilter: "Deleted",
        compareRunsMode: "CHART",
      }),
    ).toEqual({ filter: "metrics.loss < 1", order: "metrics.loss ASC", trash: true, tab: "charts" });
    expect(ownRunsSearch({ searchFilter: "", lifecycleFilter: "Active", compareRunsMode: "TABLE" })).toEqual({});
  });
});
