import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { App } from "../app";
import { Icon, type IconName } from "../shell/icon";
import { explain, neighbour, placeOf } from "./plots_model";

const RESIZE_PAUSE_MS = 150;
const SMALLEST_PX = 40;

/** The plots of the session, one at a time, drawn by R for exactly the size of the pane. */
export function PlotsPane({ app }: { readonly app: App }): JSX.Element {
  const { state, picture } = app.plots;
  const position = placeOf(state.value);
  const count = state.value.plots.length;
  const stage = useStage((width, height) => app.plots.resize({ width, height, dpr: devicePixelRatio }));
  const shown = useLoaded(picture.value);
  const trouble = state.value.error ?? shown.error;
  return (
    <section class="pane" aria-label="Plots">
      <header class="pane-header">
        <h2>Plots</h2>
        <span class="pane-detail" aria-live="polite">
          {count > 0 ? `${position + 1} of ${count}` : ""}
        </span>
        <div class="toolbar" role="toolbar" aria-label="Plots">
          <ToolButton
            label="Previous plot"
            icon="left"
            disabled={neighbour(state.value, -1) === null}
            onClick={() => app.plots.step(-1)}
          />
          <ToolButton
            label="Next plot"
            icon="right"
            disabled={neighbour(state.value, 1) === null}
            onClick={() => app.plots.step(1)}
          />
          <ToolButton label="Remove plot" icon="close" disabled={count === 0} onClick={() => app.plots.remove()} />
          <ToolButton label="Clear all plots" icon="trash" disabled={count === 0} onClick={() => app.plots.clear()} />
        </div>
      </header>
      <div class="plot-stage" ref={stage}>
        {shown.source === null ? null : (
          <img class="plot" data-testid="plot-image" src={shown.source} alt={`Plot ${position + 1} of ${count}`} />
        )}
        {trouble === null ? null : <Trouble error={trouble} />}
        {count === 0 && trouble === null && app.session.value !== null ? <p class="empty">Plots appear here</p> : null}
      </div>
    </section>
  );
}

function Trouble({ error }: { readonly error: string }): JSX.Element {
  const { title, advice } = explain(error);
  return (
    <div class="plot-trouble" role="status" data-testid="plot-error">
      <strong>{title}</strong>
      <p>{advice}</p>
    </div>
  );
}

interface ToolProps {
  readonly label: string;
  readonly icon: IconName;
  readonly disabled: boolean;
  readonly onClick: () => void;
}

function ToolButton({ label, icon, disabled, onClick }: ToolProps): JSX.Element {
  return (
    <button
      type="button"
      class="button button-icon"
      title={label}
      aria-label={label}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Tells the size of the element at first and, after each change, once it has settled. */
function useStage(tell: (width: number, height: number) => void): { current: HTMLDivElement | null } {
  const stage = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => {
      const box = stage.current?.getBoundingClientRect();
      if (box !== undefined && box.width >= SMALLEST_PX && box.height >= SMALLEST_PX)
        tell(Math.floor(box.width), Math.floor(box.height));
    };
    const observer = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(settle, RESIZE_PAUSE_MS);
    });
    if (stage.current !== null) observer.observe(stage.current);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, []);
  return stage;
}

interface Loaded {
  readonly source: string | null;
  readonly error: string | null;
}

/** The newest picture that has arrived: the old one stays until the new one can be shown, so nothing flickers. */
function useLoaded(address: string | null): Loaded {
  const [shown, setShown] = useState<Loaded>({ source: null, error: null });
  useEffect(() => {
    if (address === null) {
      setShown({ source: null, error: null });
      return;
    }
    const image = new Image();
    let wanted = true;
    image.onload = () => wanted && setShown({ source: address, error: null });
    image.onerror = () => wanted && setShown((before) => ({ ...before, error: "The picture did not arrive." }));
    image.src = address;
    return () => {
      wanted = false;
    };
  }, [address]);
  return shown;
}
