import { expect, test } from "vitest";
import { isPageOld, scriptOf } from "../src/net/page_age";

const PAGE = '<html><script type="module" crossorigin src="../../ide/assets/index-AAA.js"></script></html>';
const OWN = "https://host/r/ide/assets/index-AAA.js";

const answering =
  (body: string, status = 200) =>
  async () =>
    new Response(body, { status });

test("the script of a page is found", () => {
  expect(scriptOf(PAGE)).toBe("index-AAA.js");
  expect(scriptOf("<html></html>")).toBeNull();
});

test("a page with another script is newer", async () => {
  expect(await isPageOld(answering(PAGE), OWN)).toBe(false);
  expect(await isPageOld(answering(PAGE.replace("AAA", "BBB")), OWN)).toBe(true);
});

test("a failure page, another page or silence say nothing", async () => {
  expect(await isPageOld(answering(PAGE.replace("AAA", "BBB"), 503), OWN)).toBe(false);
  expect(await isPageOld(answering("<html></html>"), OWN)).toBe(false);
  expect(await isPageOld(() => Promise.reject(new TypeError("network")), OWN)).toBe(false);
});
