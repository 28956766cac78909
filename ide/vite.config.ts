import { defineConfig } from "vitest/config";
import { compressedTwins } from "./compressed_twins.ts";

// The page is served at <root>/s/<session>/, its assets at <root>/ide/; <root> is not known when building, so every
// address in the page is relative to the page, every address in a script or style sheet relative to that file.
const ASSETS_FROM_PAGE = "../../ide/";

export default defineConfig({
  base: "./",
  plugins: [compressedTwins()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
  experimental: {
    renderBuiltUrl: (filename, { hostType }) =>
      hostType === "html" ? ASSETS_FROM_PAGE + filename : { relative: true },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
