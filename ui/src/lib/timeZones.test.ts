import { expect, it } from "vitest";
import { knownTimeZone, timeZones } from "./timeZones";

it("time zones are known by their names, in any case and with blanks", () => {
  expect(timeZones()).toContain("Europe/Madrid");
  expect(knownTimeZone(" america/new york ")).toBe("America/New_York");
  expect(knownTimeZone("Asia/Kathmandu")).toMatch(/^Asia\/Kath?mandu$/);
});

it.each(["", " ", "Middle/Earth", "+02:00"])("%j is no time zone", (name) => {
  expect(knownTimeZone(name)).toBeUndefined();
});
