import { expect, it } from "vitest";
import { parseImageName } from "./imageNames";

it("reads key, step and time, as clients write them", () => {
  const path = "images/val#sample%step%10%timestamp%1790000000010%0d3b2a1c-aaaa-bbbb-cccc-1234567890ab";
  const image = { key: "val/sample", step: 10, timestampMs: 1790000000010 };
  expect(parseImageName(`${path}.png`)).toEqual({ ...image, isCompressed: false });
  expect(parseImageName(`${path}%compressed.webp`)).toEqual({ ...image, isCompressed: true });
});

it("reads the names of early clients", () => {
  expect(parseImageName("images/a+step+-1+timestamp+5+ab-cd.png")).toMatchObject({ key: "a", step: -1 });
});

it("takes no other file for one", () => {
  for (const path of ["images/a.png", "plots/a%step%1%timestamp%2%u.png", "images/a%step%x%timestamp%2%u.png"]) {
    expect(parseImageName(path)).toBeUndefined();
  }
});
