import { expect, test, vi } from "vitest";
import { forEachPart, forEachRun } from "./bulk";

const IDS = Array.from({ length: 40 }, (_, at) => `r${at}`);

test("each has its turn, a few at a time", async () => {
  let underWay = 0;
  let most = 0;
  const progress: number[] = [];
  const result = await forEachRun(
    IDS,
    async () => {
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      underWay -= 1;
    },
    { onProgress: (count) => progress.push(count) },
  );
  expect(most).toBe(8);
  expect(new Set(result.done)).toEqual(new Set(IDS));
  expect(progress).toEqual(IDS.map((_, at) => at + 1));
  expect(result.isStopped).toBe(false);
});

test("what fails is told and does not keep others from their turn", async () => {
  const result = await forEachRun(IDS, (id) =>
    id.endsWith("7") ? Promise.reject(new Error(`${id} is gone`)) : Promise.resolve(),
  );
  expect(result.done).toHaveLength(36);
  expect(result.failed.map(({ id }) => id)).toEqual(["r7", "r17", "r27", "r37"]);
  expect(result.failed[0]?.message).toBe("r7 is gone");
});

test("a stop lets what is under way end, and starts nothing more", async () => {
  const controller = new AbortController();
  const action = vi.fn((id: string) => {
    if (id === "r9") controller.abort();
    return Promise.resolve();
  });
  const result = await forEachRun(IDS, action, { signal: controller.signal });
  expect(result.isStopped).toBe(true);
  expect(action.mock.calls.length).toBeLessThan(20);
  expect(result.done).toHaveLength(action.mock.calls.length);
});

test("nothing to do is done at once", async () => {
  expect(await forEachRun([], () => Promise.reject(new Error("x")))).toEqual({
    done: [],
    failed: [],
    isStopped: false,
  });
});

test("parts are done one after the other, and fail as a whole", async () => {
  const parts: string[][] = [];
  const result = await forEachPart(IDS, 15, (ids) => {
    parts.push(ids);
    return parts.length === 2 ? Promise.reject(new Error("no")) : Promise.resolve();
  });
  expect(parts.map((part) => part.length)).toEqual([15, 15, 10]);
  expect(result.done).toHaveLength(25);
  expect(result.failed).toHaveLength(15);
});
