import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { App } from "../app";
import type { SessionRecord } from "../net/protocol";
import { endingOf } from "./ending";
import { Launching } from "./launching";
import { StartChoices } from "./start_choices";

/** Over the page while there is no R: why, and how to go on. The editor behind keeps its text. */
export function SessionOverlay({ app }: { readonly app: App }): JSX.Element | null {
  const link = app.link.link.value;
  const isSuspended = link.kind === "ended" && link.session.state === "suspended";
  if (isSuspended && !app.choosesStart.value) return null;
  if (app.overlayAside.value) return null;
  if (link.kind === "ended") return <Ended app={app} session={link.session} problem={link.problem} />;
  if (link.kind === "starting" && link.launching) return <Launching app={app} link={link} />;
  return null;
}

interface EndedProps {
  readonly app: App;
  readonly session: SessionRecord;
  readonly problem: string | null;
}

function Ended({ app, session, problem }: EndedProps): JSX.Element {
  const leave = (): void => {
    if (session.state === "suspended") app.choosesStart.value = false;
    else app.overlayAside.value = true;
  };
  const ending = endingOf(session);
  const start = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    start.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const leaveByKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") leave();
  };
  return (
    <div class="overlay" data-testid="session-overlay">
      <div
        class="card"
        role="alertdialog"
        aria-labelledby="ended-title"
        aria-describedby="ended-cause"
        onKeyDown={leaveByKey}
      >
        <h2 id="ended-title">{ending.title}</h2>
        <p id="ended-cause">{ending.cause}</p>
        {ending.detail === "" ? null : <p class="card-detail">{ending.detail}</p>}
        {session.stderr_tail ? (
          <details open={ending.failed}>
            <summary>Last messages of the process</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard */}
            <pre tabIndex={0}>{session.stderr_tail}</pre>
          </details>
        ) : null}
        {ending.advice === null ? null : (
          <p class="card-problem" data-testid="overlay-advice">
            {ending.advice.words}
          </p>
        )}
        <p class="card-note">The text in your editor is kept.</p>
        {problem === null ? null : (
          <p class="card-problem" role="alert">
            {problem}
          </p>
        )}
        <StartChoices app={app} first={start} ending={ending} />
        <div class="card-links">
          <button type="button" class="link-button" onClick={leave}>
            Look at the page first
          </button>
          <a class="link-button" href="../../home">
            Your sessions
          </a>
        </div>
      </div>
    </div>
  );
}
