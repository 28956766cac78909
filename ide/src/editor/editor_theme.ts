import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

// Every colour is a variable of the page: the style sheet, not the editor, knows light from dark.
const theme = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent", fontSize: "var(--code-size)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--code-font)", lineHeight: "var(--code-line)", fontVariantLigatures: "none" },
  ".cm-content": { caretColor: "var(--accent)", padding: "6px 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    background: "var(--selection)",
  },
  ".cm-gutters": { backgroundColor: "var(--pane)", color: "var(--faint)", border: "none", paddingLeft: "6px" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 10px 0 6px", minWidth: "28px" },
  ".cm-activeLine": { backgroundColor: "var(--active-line)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--active-line)", color: "var(--muted)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--bracket)", outline: "1px solid var(--line-strong)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", color: "var(--danger)" },
  ".cm-searchMatch": { backgroundColor: "var(--found)", borderRadius: "2px" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--found-now)" },
  ".cm-selectionMatch": { backgroundColor: "var(--bracket)" },
  ".cm-placeholder": { color: "var(--faint)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)", borderColor: "var(--line)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "8px 32px 8px 12px", fontFamily: "var(--ui-font)", fontSize: "13px" },
  ".cm-panel.cm-search label": {
    display: "inline-flex",
    alignItems: "center",
    gap: "4px",
    marginRight: "10px",
    fontSize: "12px",
    color: "var(--muted)",
  },
  ".cm-panel.cm-search input[type=checkbox]": { margin: "0", accentColor: "var(--accent)" },
  ".cm-panel.cm-search [name=close]": { color: "var(--muted)", fontSize: "18px", top: "6px", right: "10px" },
  ".cm-textfield": {
    border: "1px solid var(--line-strong)",
    borderRadius: "5px",
    backgroundColor: "var(--pane)",
    color: "var(--text)",
    padding: "3px 8px",
    fontFamily: "inherit",
    fontSize: "13px",
  },
  ".cm-button": {
    border: "1px solid var(--line-strong)",
    borderRadius: "5px",
    background: "var(--pane)",
    color: "var(--text)",
    padding: "3px 10px",
    fontFamily: "inherit",
    fontSize: "12px",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    border: "1px solid var(--line-strong)",
    borderRadius: "7px",
    boxShadow: "var(--shadow)",
    overflow: "hidden",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--code-font)",
    fontSize: "12.5px",
    maxHeight: "15em",
    padding: "4px",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
    display: "flex",
    gap: "2em",
    padding: "2px 8px",
    borderRadius: "4px",
    lineHeight: "1.6",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--on-accent)",
  },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", marginLeft: "auto" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
});

/** The look of every editor of the page; `nonce` lets its style element pass the content security policy. */
export function editorLook(nonce: string): Extension {
  return [theme, EditorView.cspNonce.of(nonce)];
}
