/** Where the complete statements of an R script begin and end, found without a parser: enough to run one of them. */

export interface LineRange {
  /** First and last line, from 0. */
  readonly first: number;
  readonly last: number;
}

type Opener = "(" | "[" | "{" | "header(";

const CLOSER: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };
const HEADERS = new Set(["if", "for", "while", "function"]);
const WORD = /[\p{L}\p{N}._]/u;
const OPERATOR_AT_END = /(?:[-+*/^<>=!&|~$@?:,]|%[^%]*%)$/;

/**
 * The statement around `line`: the smallest run of lines that leaves no bracket, string, operator or function header
 * open. A script that never closes what that statement opened gives the line alone.
 */
export function statementAt(lines: readonly string[], line: number): LineRange {
  const reader = new StatementReader();
  let first = 0;
  for (let at = 0; at < lines.length; at += 1) {
    reader.read(lines[at] ?? "");
    if (reader.open && at + 1 < lines.length) continue;
    if (line <= at) return reader.open ? { first: line, last: line } : { first, last: at };
    first = at + 1;
  }
  return { first: line, last: line };
}

/** The first line at or after `line` that holds more than blanks; `lines.length` when there is none. */
export function nextNonBlank(lines: readonly string[], line: number): number {
  let at = line;
  while (at < lines.length && (lines[at] ?? "").trim() === "") at += 1;
  return at;
}

/** Follows brackets, strings and operators from line to line. */
class StatementReader {
  private readonly stack: Opener[] = [];
  /** What ends the string we are in: a quote, or the tail of a raw string. */
  private stringEnd: string | null = null;
  /** A header was read, its body was not. */
  private awaitsBody = false;
  private headerNext = false;
  private operatorLast = false;

  get open(): boolean {
    return this.stack.length > 0 || this.stringEnd !== null || this.awaitsBody || this.headerNext || this.operatorLast;
  }

  read(line: string): void {
    let at = 0;
    while (at < line.length) {
      if (this.stringEnd !== null) at = this.skipString(line, at);
      else if (line[at] === "#") break;
      else at = this.token(line, at);
    }
  }

  private token(line: string, at: number): number {
    const char = line[at] ?? "";
    if (/\s/.test(char)) return at + 1;
    const string = /^(?:[rR](["'])(-*)([([{])|(["'`]))/.exec(line.slice(at, at + 64));
    if (string !== null) return this.beginString(string, at);
    if (WORD.test(char)) return this.word(line, at);
    if ("([{".includes(char)) this.push(char as Opener);
    else if (")]}".includes(char)) this.pop(CLOSER[char] ?? "");
    else return this.operator(line, at);
    return at + 1;
  }

  private beginString(found: RegExpExecArray, at: number): number {
    const [text, rawQuote, dashes = "", bracket = "", quote = ""] = found;
    const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
    this.stringEnd = rawQuote === undefined ? quote : `${closing[bracket]}${dashes}${rawQuote}`;
    this.operand();
    return at + text.length;
  }

  private skipString(line: string, from: number): number {
    const end = this.stringEnd ?? "";
    for (let at = from; at < line.length; at += 1) {
      if (end.length === 1 && end !== "`" && line[at] === "\\") at += 1;
      else if (line.startsWith(end, at)) {
        this.stringEnd = null;
        return at + end.length;
      }
    }
    return line.length;
  }

  private word(line: string, from: number): number {
    let end = from;
    while (end < line.length && WORD.test(line[end] ?? "")) end += 1;
    const word = line.slice(from, end);
    this.operand();
    if (HEADERS.has(word)) this.headerNext = true;
    else if (word === "else" || word === "repeat") this.awaitsBody = true;
    return end;
  }

  private operator(line: string, at: number): number {
    const special = line[at] === "%" ? /^%[^%]*%/.exec(line.slice(at)) : null;
    if (line[at] === "\\") {
      this.operand();
      this.headerNext = true;
      return at + 1;
    }
    const text = special?.[0] ?? line[at] ?? "";
    this.operatorLast = OPERATOR_AT_END.test(text);
    return at + text.length;
  }

  private push(opener: Opener): void {
    this.operand();
    this.stack.push(opener === "(" && this.headerAhead() ? "header(" : opener);
  }

  private headerAhead(): boolean {
    const ahead = this.headerNext;
    this.headerNext = false;
    return ahead;
  }

  private pop(opener: string): void {
    this.operatorLast = false;
    const top = this.stack.pop();
    if (top === "header(" && opener === "(") this.awaitsBody = true;
  }

  /** Something that can be a body or the right side of an operator begins here. */
  private operand(): void {
    this.operatorLast = false;
    this.awaitsBody = false;
  }
}
