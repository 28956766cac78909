/** A field of the project file that the dialog shows. `values` are the words it may have; none: any text. */
export interface OptionField {
  readonly name: string;
  readonly label: string;
  readonly values: readonly string[];
  /** What counts when the field is not written. */
  readonly usual: string;
}

const WISH = ["Default", "Yes", "No"];
const SWITCH = ["Yes", "No"];

export const OPTION_FIELDS: readonly OptionField[] = [
  { name: "ProjectName", label: "Name", values: [], usual: "" },
  { name: "RVersion", label: "R version of new sessions", values: [], usual: "Default" },
  { name: "RestoreWorkspace", label: "Load .RData at the start", values: WISH, usual: "Default" },
  { name: "SaveWorkspace", label: "Save .RData at the end", values: [...WISH, "Ask"], usual: "Default" },
  { name: "AlwaysSaveHistory", label: "Always save the history", values: WISH, usual: "Default" },
  { name: "DisableExecuteRprofile", label: "Leave out .Rprofile", values: SWITCH, usual: "No" },
  { name: "QuitChildProcessesOnExit", label: "End programs that R started", values: WISH, usual: "Default" },
  { name: "UseSpacesForTab", label: "Tab inserts blanks", values: SWITCH, usual: "Yes" },
  { name: "NumSpacesForTab", label: "Width of a tab", values: [], usual: "2" },
  { name: "Encoding", label: "Encoding of files", values: [], usual: "UTF-8" },
  {
    name: "LineEndingConversion",
    label: "Line ends of saved files",
    values: ["Default", "Passthrough", "Native", "Posix", "Windows"],
    usual: "Default",
  },
  { name: "AutoAppendNewline", label: "End saved files with a line end", values: SWITCH, usual: "No" },
  { name: "StripTrailingWhitespace", label: "Take away blanks at line ends", values: SWITCH, usual: "No" },
];

export type Fields = Readonly<Record<string, string>>;

/** What the dialog shows for a field: the word as the table spells it, or the text of the file. */
export function shownValue(field: OptionField, fields: Fields): string {
  const written = fields[field.name] ?? "";
  if (written === "") return field.usual;
  return field.values.find((value) => value.toLowerCase() === written.toLowerCase()) ?? written;
}

/** The words to choose among; one that the file has and nobody knows stays choosable. */
export function choicesOf(field: OptionField, fields: Fields): readonly string[] {
  const shown = shownValue(field, fields);
  return field.values.includes(shown) ? field.values : [...field.values, shown];
}

/** What to write: only fields that were changed here; a text that was emptied takes the field out. */
export function changedFields(fields: Fields, now: Fields): Record<string, string | null> {
  const changed: Record<string, string | null> = {};
  for (const field of OPTION_FIELDS) {
    const value = (now[field.name] ?? "").trim();
    if (value !== shownValue(field, fields)) changed[field.name] = value === "" ? null : value;
  }
  return changed;
}
