import { expect, test, vi } from "vitest";
import { type BulkFailure, forEachPart } from "./bulk";

const IDS = Array.from({ length: 600 }, (_, at) => `r${at}`);

test("parts are done one after the other, and what fails is told", async () => {
  const sizes: number[] = [];
  const progress: number[] = [];
  const result = await forEachPart(
    IDS,
    (ids) => {
      sizes.push(ids.length);
      return Promise.resolve(ids.filter((id) => id.endsWith("99")).map((id) => ({ id, message: `${id} is gone` })));
    },
    { onProgress: (count) => progress.push(count) },
  );
  expect(sizes).toEqual([250, 250, 100]);
  expect(progress).toEqual([250, 500, 600]);
  expect(result.failed.map(({ id }) => id)).toEqual(["r99", "r199", "r299", "r399", "r499", "r599"]);
  expect(result.failed[0]?.message).toBe("r99 is gone");
  expect(result.done).toHaveLength(594);
  expect(result.isStopped).toBe(false);
});

test("a request that fails fails for all of its part, and the next is sent", async () => {
  let count = 0;
  const result = await forEachPart(IDS, () =>
    ++count === 2 ? Promise.reject<BulkFailure[]>(new Error("no")) : Promise.resolve([]),
  );
  expect(result.done).toHaveLength(350);
  expect(result.failed).toHaveLength(250);
  expect(result.failed[0]).toEqual({ id: "r250", message: "no" });
});

test("a stop lets what is under way end, and starts nothing more", async () => {
  const controller = new AbortController();
  const action = vi.fn(() => {
    controller.abort();
    return Promise.resolve([]);
  });
  const result = await forEachPart(IDS, action, { signal: controller.signal });
  expect(action).toHaveBeenCalledTimes(1);
  expect(result.done).toHaveLength(250);
  expect(result.isStopped).toBe(true);
});

test("nothing to do is done at once", async () => {
  const result = await forEachPart([], () => Promise.reject(new Error("x")));
  expect(result).toEqual({ done: [], failed: [], isStopped: false });
});
