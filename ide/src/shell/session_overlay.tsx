import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { App } from "../app";
import type { SessionRecord } from "../net/protocol";
import { type Ending, endingOf } from "./ending";
import { Launching } from "./launching";

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
        {ending.suspect ? (
          <p class="card-problem" data-testid="overlay-advice">
            R failed {session.quick_failures} times in a row soon after its start. What is restored may be the reason:
            start without restoring first. The objects are set aside then, not deleted.
          </p>
        ) : null}
        <p class="card-note">The text in your editor is kept.</p>
        {problem === null ? null : (
          <p class="card-problem" role="alert">
            {problem}
          </p>
        )}
        <Choices app={app} start={start} ending={ending} />
        <button type="button" class="link-button" onClick={leave}>
          Look at the page first
        </button>{" "}
        <a class="link-button" href="../../home">
          Your sessions
        </a>
      </div>
    </div>
  );
}

interface ChoicesProps {
  readonly app: App;
  readonly start: { current: HTMLButtonElement | null };
  readonly ending: Ending;
}

function Choices({ app, start, ending }: ChoicesProps): JSX.Element {
  const resume: Resume = (run_rprofile, restore) => () => {
    void app.link.restart({ run_rprofile, restore });
  };
  const plain = (
    <button
      key="start"
      type="button"
      ref={ending.suspect ? null : start}
      class={`button ${ending.suspect ? "" : "button-primary"}`}
      data-testid="overlay-start"
      onClick={resume(true, true)}
    >
      {ending.wayBack}
    </button>
  );
  return (
    <div class="choices">
      {ending.suspect ? null : plain}
      {ending.project === null ? (
        <SafeStarts resume={resume} first={ending.suspect ? start : null}>
          {ending.suspect ? plain : null}
        </SafeStarts>
      ) : null}
      {ending.project === null ? null : <ProjectStarts app={app} project={ending.project} />}
    </div>
  );
}

interface ProjectStartsProps {
  readonly app: App;
  readonly project: NonNullable<Ending["project"]>;
}

function ProjectStarts({ app, project }: ProjectStartsProps): JSX.Element {
  const start = (how: { create_project?: boolean; in_project?: boolean }) => (): void => {
    void app.link.restart({ run_rprofile: true, restore: true, ...how });
  };
  return (
    <>
      {project === "no-file" ? (
        <button
          type="button"
          class="button"
          data-testid="overlay-create-project"
          onClick={start({ create_project: true })}
        >
          Make it a project
        </button>
      ) : null}
      <button type="button" class="button" data-testid="overlay-without-project" onClick={start({ in_project: false })}>
        Without the project
      </button>
    </>
  );
}

type Resume = (profile: boolean, restore: boolean) => () => void;

interface SafeStartsProps {
  readonly resume: Resume;
  /** Where the first button is to be known when it is the one proposed. */
  readonly first: { current: HTMLButtonElement | null } | null;
  readonly children: JSX.Element | null;
}

function SafeStarts({ resume, first, children }: SafeStartsProps): JSX.Element {
  return (
    <>
      <button
        type="button"
        ref={first}
        class={`button ${first === null ? "" : "button-primary"}`}
        data-testid="overlay-no-restore"
        onClick={resume(true, false)}
      >
        Without restoring objects
      </button>
      {children}
      <button type="button" class="button" data-testid="overlay-no-profile" onClick={resume(false, true)}>
        Without .Rprofile
      </button>
      <button type="button" class="button" data-testid="overlay-empty" onClick={resume(false, false)}>
        Empty: without both
      </button>
    </>
  );
}
