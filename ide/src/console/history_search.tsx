import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type History, search } from "./history_model";

const MOST_SHOWN = 50;

interface Props {
  readonly history: History;
  /** Called with the entry chosen, or null when the search was left. */
  readonly pick: (text: string | null) => void;
}

/** Search in earlier input: type words, choose with the arrows, Enter takes it. */
export function HistorySearch({ history, pick }: Props): JSX.Element {
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const found = search(history, query, MOST_SHOWN);
  useLayoutEffect(() => field.current?.focus(), []);

  const press = (event: KeyboardEvent): void => {
    const step =
      event.key === "ArrowDown" || (event.ctrlKey && event.key === "r") ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) setChosen(Math.max(0, Math.min(found.length - 1, chosen + step)));
    else if (event.key === "Enter") pick(found[chosen] ?? null);
    else if (event.key === "Escape") pick(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="history-search" role="dialog" aria-label="Search earlier input">
      <Found entries={found} chosen={chosen} pick={pick} />
      {found.length === 0 ? <p class="empty">Nothing in the history has this</p> : null}
      <input
        ref={field}
        class="field"
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="history-found"
        aria-activedescendant={`history-${chosen}`}
        aria-label="Search earlier input"
        placeholder="Search earlier input"
        spellcheck={false}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={press}
        onBlur={() => pick(null)}
      />
    </div>
  );
}

interface FoundProps {
  readonly entries: readonly string[];
  readonly chosen: number;
  readonly pick: (text: string) => void;
}

function Found({ entries, chosen, pick }: FoundProps): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => list.current?.children[chosen]?.scrollIntoView({ block: "nearest" }), [chosen]);
  return (
    <div ref={list} class="found" role="listbox" id="history-found" aria-label="Earlier input">
      {entries.map((entry, index) => (
        <div
          key={entry}
          id={`history-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === chosen}
          // Before the field loses the focus, which would end the search.
          onMouseDown={(event) => {
            event.preventDefault();
            pick(entry);
          }}
        >
          {entry}
        </div>
      ))}
    </div>
  );
}
