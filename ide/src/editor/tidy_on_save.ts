import type { ChangeSpec, Text } from "@codemirror/state";
import type { ProjectEditor } from "../net/protocol";

/** What the project wants to be set right before a text is saved. */
export type TidyRules = Pick<ProjectEditor, "append_newline" | "strip_trailing_whitespace">;

/** The changes that set it right; none when it is. */
export function tidyChanges(text: Text, rules: TidyRules): readonly ChangeSpec[] {
  const changes: ChangeSpec[] = rules.strip_trailing_whitespace ? blanksAtLineEnds(text) : [];
  if (rules.append_newline && endsWithText(text, rules)) changes.push({ from: text.length, insert: "\n" });
  return changes;
}

function blanksAtLineEnds(text: Text): ChangeSpec[] {
  const changes: ChangeSpec[] = [];
  for (let number = 1; number <= text.lines; number += 1) {
    const line = text.line(number);
    const kept = line.text.replace(/[ \t]+$/, "").length;
    if (kept < line.length) changes.push({ from: line.from + kept, to: line.to });
  }
  return changes;
}

function endsWithText(text: Text, rules: TidyRules): boolean {
  const last = text.line(text.lines).text;
  return (rules.strip_trailing_whitespace ? last.replace(/[ \t]+$/, "") : last) !== "";
}
