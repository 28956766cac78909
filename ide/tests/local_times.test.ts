import { expect, test } from "vitest";
import { localTimes, timeOf } from "../src/shell/local_times";

test("times of sentences are those of the browser", () => {
  const time = new Date(Date.UTC(2026, 10, 22, 7, 36));
  const here = timeOf(time, time);
  expect(localTimes("kept as they were at 2026-11-22 07:36 UTC, later", time)).toBe(
    `kept as they were at ${here}, later`,
  );
  const later = new Date(time.getTime() + 3 * 86400_000);
  expect(localTimes("at 2026-11-22 07:36 UTC.", later)).toBe(`at ${here} on ${time.toLocaleDateString()}.`);
});

test("what is no time stays", () => {
  for (const text of ["x <- 1", "2026-11-22 07:36", "at 2026-99-99 99:99 UTC"]) expect(localTimes(text)).toBe(text);
});
