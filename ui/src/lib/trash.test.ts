import { expect, it } from "vitest";
import { partsOf, sizeOf } from "./trash";

const ids = (count: number) => Array.from({ length: count }, (_, number) => String(number));

it("the trash is emptied in parts that hold everything once", () => {
  const trashed = { experimentIds: ids(45), runIds: ids(1001) };
  const parts = partsOf(trashed);
  expect(parts.map(sizeOf)).toEqual([500, 500, 1, 20, 20, 5]);
  expect(parts.flatMap(({ runIds }) => runIds)).toEqual(trashed.runIds);
  expect(parts.flatMap(({ experimentIds }) => experimentIds)).toEqual(trashed.experimentIds);
  expect(partsOf({ experimentIds: [], runIds: [] })).toEqual([]);
});
