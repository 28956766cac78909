import { expect, test } from "vitest";
import { recoverySentences } from "../src/session/recovery";

const NOW = new Date(2026, 10, 22, 13, 0);
const at = (hour: number, minute: number): number => new Date(2026, 10, 22, hour, minute).getTime() / 1000;

test("a notice says when and why R ended, and what is here again", () => {
  const recovered = { objects: 17, bytes: 1.2 * 2 ** 30, created: at(12, 3), ended: at(12, 7), cause: "It crashed." };
  const text = recoverySentences(recovered, NOW);
  expect(text).toMatch(/^R ended unexpectedly at .*12:07.*\. It crashed\. What it had at .*12:03/);
  expect(text).toContain("(17 objects, 1.2 GB) are here again.");
});

test("what is not known is not said, and an older day is named", () => {
  const recovered = { objects: 1, bytes: 56, created: at(12, 3) - 3 * 86400, ended: null, cause: "" };
  const text = recoverySentences(recovered, NOW);
  expect(text).toMatch(/^R ended unexpectedly\. What it had at .* on .* \(1 object, 56 bytes\) is here again\.$/);
});
