import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { App } from "../app";
import type { EnvironmentObject } from "../net/protocol";
import { type Environment, formatSize, type Row, visibleRange } from "./environment_model";
import { MemoryGauge } from "./memory_gauge";

const ROW_HEIGHT = 26;

/** The objects of the global environment with what they hold. */
export function EnvironmentPane({ app }: { readonly app: App }): JSX.Element {
  const { environment, rows, filter } = app.environment;
  const joined = app.session.value !== null;
  const empty = !joined ? "" : environment.value.total === 0 ? "No objects yet" : "No object has this in its name";
  return (
    <section class="pane" aria-label="Environment">
      <header class="pane-header">
        <h2>Environment</h2>
        <span class="pane-detail">{countOf(environment.value)}</span>
        <MemoryGauge app={app} />
        <input
          class="field field-small"
          type="search"
          placeholder="Filter"
          aria-label="Filter objects by name"
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value;
          }}
        />
      </header>
      <ObjectList rows={rows.value} empty={empty} />
    </section>
  );
}

/** How many objects there are, and how many of them the session told of when it has too many. */
function countOf({ total, objects }: Environment): string {
  if (total === 0) return "";
  const all = `${total.toLocaleString("en")} object${total === 1 ? "" : "s"}`;
  return objects.size < total ? `first ${objects.size.toLocaleString("en")} of ${all}` : all;
}

interface ListProps {
  readonly rows: readonly Row[];
  /** What to say without rows. */
  readonly empty: string;
}

/** Only the rows in sight are in the page: a list of 100,000 objects costs no more than one of 50. */
function ObjectList({ rows, empty }: ListProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [window, setWindow] = useState({ top: 0, height: 600 });
  const measure = (): void => {
    const element = box.current;
    if (element !== null) setWindow({ top: element.scrollTop, height: element.clientHeight });
  };
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const { first, end } = visibleRange(rows.length, ROW_HEIGHT, window.top, window.height);
  return (
    <div
      class="scroll"
      ref={box}
      onScroll={measure}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
      tabIndex={0}
      role="region"
      aria-label="Objects"
      data-testid="env-list"
    >
      {rows.length === 0 ? (
        <p class="empty">{empty}</p>
      ) : (
        <div
          class="objects"
          role="table"
          aria-label="Objects in the environment"
          aria-rowcount={rows.length}
          style={{ height: `${rows.length * ROW_HEIGHT}px` }}
        >
          <div style={{ transform: `translateY(${first * ROW_HEIGHT}px)` }} role="rowgroup">
            {rows.slice(first, end).map((row, index) => (
              <RowView key={keyOf(row)} row={row} index={first + index + 1} />
            ))}
          </div>
        </div>
      )}
    </div>
  );
}

function keyOf(row: Row): string {
  return row.type === "heading" ? `heading ${row.group}` : `object ${row.object.name}`;
}

function RowView({ row, index }: { readonly row: Row; readonly index: number }): JSX.Element {
  if (row.type === "object") return <ObjectRow object={row.object} index={index} />;
  return (
    <div class="object-heading" role="row" aria-rowindex={index}>
      <span role="rowheader">{row.group}</span>
      <span class="object-count" role="cell">
        {row.count}
      </span>
    </div>
  );
}

function ObjectRow({ object, index }: { readonly object: EnvironmentObject; readonly index: number }): JSX.Element {
  const size = formatSize(object.size);
  const title = [`${object.name}: ${object.class.join(", ") || object.type}`, size, object.summary].filter(Boolean);
  return (
    <div
      class="object"
      role="row"
      aria-rowindex={index}
      data-testid={`env-row-${object.name}`}
      title={title.join("\n")}
    >
      <span class="object-name" role="cell">
        {object.name}
      </span>
      <span class="object-summary" role="cell">
        {object.summary}
      </span>
      <span class="object-size" role="cell">
        {size}
      </span>
    </div>
  );
}
