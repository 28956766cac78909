import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

const COMPRESSIBLE = /\.(?:js|css|svg)$/;

async function writeTwins(path: string): Promise<void> {
  const content = await readFile(path);
  const best = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(content, best));
  await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
}

/** Writes `.br` and `.gz` beside every asset, which the server sends as they are to browsers that take them. */
export function compressedTwins(): Plugin {
  return {
    name: "compressed-twins",
    apply: "build",
    async writeBundle({ dir }) {
      const folder = join(dir ?? "dist", "assets");
      const names = (await readdir(folder)).filter((name) => COMPRESSIBLE.test(name));
      await Promise.all(names.map((name) => writeTwins(join(folder, name))));
    },
  };
}
