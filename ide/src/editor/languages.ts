import { LanguageSupport, StreamLanguage, type StreamParser } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { rLanguage } from "./r_language";

function mode(parser: StreamParser<unknown>): Extension {
  return StreamLanguage.define(parser);
}

/** Loaders by what follows the last dot of a name; each fetches its mode when first needed. */
const BY_EXTENSION: Readonly<Record<string, () => Promise<Extension>>> = {
  md: markdown,
  rmd: markdown,
  qmd: markdown,
  json: () => import("@codemirror/legacy-modes/mode/javascript").then((m) => mode(m.json as StreamParser<unknown>)),
  js: () => import("@codemirror/legacy-modes/mode/javascript").then((m) => mode(m.javascript as StreamParser<unknown>)),
  css: () => import("@codemirror/legacy-modes/mode/css").then((m) => mode(m.css as StreamParser<unknown>)),
  py: () => import("@codemirror/legacy-modes/mode/python").then((m) => mode(m.python as StreamParser<unknown>)),
  sql: () => import("@codemirror/legacy-modes/mode/sql").then((m) => mode(m.standardSQL as StreamParser<unknown>)),
  yml: () => import("@codemirror/legacy-modes/mode/yaml").then((m) => mode(m.yaml as StreamParser<unknown>)),
  yaml: () => import("@codemirror/legacy-modes/mode/yaml").then((m) => mode(m.yaml as StreamParser<unknown>)),
  sh: () => import("@codemirror/legacy-modes/mode/shell").then((m) => mode(m.shell as StreamParser<unknown>)),
};

async function markdown(): Promise<Extension> {
  const { markdown: support } = await import("@codemirror/lang-markdown");
  const r = new LanguageSupport(rLanguage);
  return support({ codeLanguages: (info) => (/^\{?r\b/i.test(info) ? r.language : null) });
}

/** True when lines of this document are R code. */
export function isR(name: string, type: string): boolean {
  const extension = extensionOf(name);
  return extension === "r" || extension === "rprofile" || (extension === null && type === "r");
}

/** The language of a document by its name, else its type; null for plain text. */
export async function languageOf(name: string, type: string): Promise<Extension | null> {
  if (isR(name, type)) return rLanguage;
  return (await BY_EXTENSION[extensionOf(name) ?? type]?.()) ?? null;
}

function extensionOf(name: string): string | null {
  const found = /\.([^.]+)$/.exec(name)?.[1];
  return found === undefined ? null : found.toLowerCase();
}
