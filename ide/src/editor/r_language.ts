import {
  HighlightStyle,
  StreamLanguage,
  type StreamParser,
  type StringStream,
  syntaxHighlighting,
} from "@codemirror/language";
import { r as rMode } from "@codemirror/legacy-modes/mode/r";
import type { Extension } from "@codemirror/state";
import { tags } from "@lezer/highlight";

type Tokenizer = (stream: StringStream, state: RState) => string | null;

/** The part of the mode's state that says how the next token is read. */
interface RState {
  tokenize: Tokenizer;
}

const plainCode = (rMode.startState as (indentUnit: number) => RState)(2).tokenize;
const RAW_STRING = /^[rR](["'])(-*)([([{])/;
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

function rawString(end: string): Tokenizer {
  return (stream, state) => {
    if (stream.skipTo(end)) {
      stream.match(end);
      state.tokenize = plainCode;
    } else stream.skipToEnd();
    return "string";
  };
}

/** The mode's tokens, with raw strings, which it does not know, and with the names of functions that are called. */
function token(stream: StringStream, state: RState): string | null {
  const raw = state.tokenize === plainCode ? stream.match(RAW_STRING) : null;
  if (raw !== null && typeof raw === "object") {
    const [, quote = "", dashes = "", bracket = ""] = raw;
    state.tokenize = rawString(`${CLOSING[bracket]}${dashes}${quote}`);
    return state.tokenize(stream, state);
  }
  const style = rMode.token(stream, state);
  return style === "variable" && stream.match(/^\s*\(/, false) ? "variableName.function" : style;
}

export const rLanguage = StreamLanguage.define<RState>({
  ...(rMode as StreamParser<RState>),
  token,
  languageData: {
    ...rMode.languageData,
    indentOnInput: /^\s*\}$/,
    commentTokens: { line: "#" },
    closeBrackets: { brackets: ["(", "[", "{", '"', "'", "`"] },
  },
});

// Colours are variables of the page, so that light and dark need no second style.
const style = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.operatorKeyword], color: "var(--syntax-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--syntax-string)" },
  { tag: [tags.number, tags.bool, tags.atom, tags.null], color: "var(--syntax-number)" },
  { tag: [tags.comment, tags.meta], color: "var(--syntax-comment)", fontStyle: "italic" },
  { tag: [tags.standard(tags.variableName), tags.function(tags.variableName)], color: "var(--syntax-function)" },
  { tag: [tags.definition(tags.variableName), tags.propertyName], color: "var(--syntax-name)" },
  { tag: [tags.typeName, tags.className, tags.tagName], color: "var(--syntax-function)" },
  { tag: [tags.operator, tags.punctuation, tags.bracket], color: "var(--syntax-operator)" },
  { tag: tags.heading, color: "var(--syntax-keyword)", fontWeight: "600" },
  { tag: [tags.link, tags.url], color: "var(--accent)", textDecoration: "underline" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strong, fontWeight: "600" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: tags.invalid, color: "var(--danger)" },
]);

export const highlighting: Extension = syntaxHighlighting(style);
