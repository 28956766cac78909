import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { type Divider, keyed, moved, SMALLEST, STANDARD } from "./layout_model";
import { layout } from "./layout_store";

interface Props {
  readonly divider: Divider;
  readonly label: string;
  /** True when dragging goes left and right. */
  readonly horizontal: boolean;
}

const percent = (share: number): number => Math.round(share * 100);

function set(divider: Divider, share: number): void {
  layout.value = moved(layout.value, divider, share);
}

/** The handle between two panes: drag it, double-click it, or move it with the arrow keys. */
export function Splitter({ divider, label, horizontal }: Props): JSX.Element {
  const grab = useRef<{ readonly start: number; readonly size: number } | null>(null);
  const share = layout.value[divider];

  const begin = (event: PointerEvent): void => {
    const handle = event.currentTarget as HTMLElement;
    const box = handle.parentElement?.getBoundingClientRect();
    if (box === undefined) return;
    grab.current = horizontal ? { start: box.left, size: box.width } : { start: box.top, size: box.height };
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus();
  };
  const drag = (event: PointerEvent): void => {
    if (grab.current === null) return;
    set(divider, ((horizontal ? event.clientX : event.clientY) - grab.current.start) / grab.current.size);
  };
  const press = (event: KeyboardEvent): void => {
    const next = keyed(share, event.key, horizontal);
    if (next === null) return;
    event.preventDefault();
    set(divider, next);
  };
  const release = (): void => {
    grab.current = null;
  };
  return (
    <div
      class={`splitter ${horizontal ? "splitter-columns" : "splitter-rows"}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={horizontal ? "vertical" : "horizontal"}
      aria-valuenow={percent(share)}
      aria-valuemin={percent(SMALLEST)}
      aria-valuemax={percent(1 - SMALLEST)}
      onPointerDown={begin}
      onPointerMove={drag}
      onPointerUp={release}
      onPointerCancel={release}
      onDblClick={() => set(divider, STANDARD[divider])}
      onKeyDown={press}
    />
  );
}
