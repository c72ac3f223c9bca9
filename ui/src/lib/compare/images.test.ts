import { expect, it } from "vitest";
import { imageAt, imagesOf, keysOf, stepsOf } from "./images";

const name = (key: string, step: number, time = 1, end = ".png") =>
  `images/${key}%step%${step}%timestamp%${time}%aaaa-${step}${end}`;
const first = imagesOf([
  name("a", 10),
  name("a", 2),
  name("a", 2, 5),
  name("a", 2, 5, "%compressed.webp"),
  "images/other.png",
]);
const second = imagesOf([name("b#c", 0), name("a", 5)]);

it("orders a run's images by step, the latest of each, with the small copy where there is one", () => {
  expect(first.get("a")!.map(({ step, timestampMs }) => [step, timestampMs])).toEqual([
    [2, 5],
    [10, 1],
  ]);
  expect(first.get("a")![0]!.thumbnailPath).toBe(name("a", 2, 5, "%compressed.webp"));
  expect(first.get("a")![1]!.thumbnailPath).toBeUndefined();
});

it("knows the keys and the steps of all runs", () => {
  expect(keysOf([first, second])).toEqual(["a", "b/c"]);
  expect(stepsOf([first, second], "a")).toEqual([2, 5, 10]);
});

it("shows the last image up to a step", () => {
  expect(imageAt(first, "a", 9)!.step).toBe(2);
  expect(imageAt(second, "a", 4)).toBeUndefined();
  expect(imageAt(second, "gone", 4)).toBeUndefined();
});
