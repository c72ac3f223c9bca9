import { expect, it } from "vitest";
import { bestColumns, deltaText, goalOf } from "./best";

it("knows from common names which way is better", () => {
  for (const name of ["train/loss", "val_rmse", "perplexity", "valLoss", "time_per_step"])
    expect(goalOf(name)).toBe("min");
  for (const name of ["val/accuracy", "f1", "test_auc", "loss/accuracy"]) expect(goalOf(name)).toBe("max");
  for (const name of ["epoch", "gross", "placement"]) expect(goalOf(name)).toBe("none");
});

it("the best may be shared; where all are equal there is none", () => {
  expect(bestColumns([3, 1, 1, undefined, NaN], "min")).toEqual([1, 2]);
  expect(bestColumns([3, 1], "max")).toEqual([0]);
  expect(bestColumns([2, 2], "max")).toEqual([]);
  expect(bestColumns([1, 2], "none")).toEqual([]);
});

it("tells how far a value is from the baseline", () => {
  expect(deltaText(0.52, 0.5)).toBe("+0.02 (+4 %)");
  expect(deltaText(-3, -2)).toBe("−1 (−50 %)");
  expect(deltaText(1, 0)).toBe("+1");
  expect(deltaText(1, 1)).toBe("±0");
  expect(deltaText(150, 100, (size) => `${size} ms`)).toBe("+50 ms (+50 %)");
  expect(deltaText(NaN, 1)).toBeUndefined();
  expect(deltaText(undefined, 1)).toBeUndefined();
});
