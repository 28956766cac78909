import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { App } from "../app";
import type { SessionRecord } from "../net/protocol";
import { endingOf } from "./ending";
import { countdown, type EndAction, inBytes, type Life, type Progress } from "./life_store";
import { Notice } from "./notice";

const TICK_MS = 250;
const QUIET_MS = 1000;
const WILL_BE: Readonly<Record<EndAction, string>> = { suspend: "suspended", quit: "ended", kill: "killed" };

/** What becomes of the session: about to end, kept by something, being written, coming back. */
export function LifeNotices({ app }: { readonly app: App }): JSX.Element {
  const life = app.life.life.value;
  const loading = app.life.loading.value;
  return (
    <>
      {life.kind === "ending" ? <Ending app={app} life={life} /> : null}
      {life.kind === "blocked" ? <Blocked app={app} life={life} /> : null}
      {life.kind === "suspending" ? <Suspending app={app} progress={app.life.written.value} /> : null}
      {loading === null ? null : <Loading app={app} progress={loading} />}
    </>
  );
}

interface Kind<K extends Life["kind"]> {
  readonly app: App;
  readonly life: Extract<Life, { kind: K }>;
}

function Ending({ app, life }: Kind<"ending">): JSX.Element {
  const left = useTimeLeft(life.endsAt);
  const keep = (): void => {
    app.ask("keep_running", []);
  };
  return (
    <Notice look={life.action === "kill" ? "danger" : "warning"} role="alert" id="ending">
      <span>
        This session will be {WILL_BE[life.action]} in{" "}
        <strong role="timer" aria-live="off" data-testid="time-left">
          {countdown(left)}
        </strong>
        . {life.rule}
      </span>
      <button type="button" class="button button-primary" onClick={keep}>
        Keep it running
      </button>
    </Notice>
  );
}

function Blocked({ app, life }: Kind<"blocked">): JSX.Element {
  const anyway = (): void => {
    app.api.suspend().catch((error: unknown) => app.report(error));
  };
  return (
    <Notice look="warning" role="status" id="blocked" dismiss={() => app.life.dismiss()}>
      <span>
        {life.why === "" ? "The session was not suspended." : `${life.why} The session is not suspended.`}
        {life.blockers.map(({ reason }) => (
          <span key={reason} class="notice-reason">
            {reason}
          </span>
        ))}
      </span>
      <button type="button" class="button" onClick={anyway}>
        Suspend anyway
      </button>
    </Notice>
  );
}

function Suspending({ app, progress }: { readonly app: App; readonly progress: Progress | null }): JSX.Element {
  return (
    <Notice role="status" id="suspending" busy={true}>
      <span>
        The session is being suspended
        <Amount progress={progress} verb="written" />
      </span>
      <Bar progress={progress} label="Objects written" />
      <button type="button" class="button" onClick={() => app.ask("cancel_suspend", [])}>
        Cancel
      </button>
    </Notice>
  );
}

/** Small sessions are back before anybody could read this. */
function Loading({ app, progress }: { readonly app: App; readonly progress: Progress }): JSX.Element | null {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return null;
  const stop = (): void => {
    app.life.loading.value = null;
    app.ask("stop_loading", []);
  };
  return (
    <Notice role="status" id="loading">
      <span title="R can be used meanwhile; objects that are touched come first">
        Loading objects
        <Amount progress={progress} verb="loaded" />
      </span>
      <Bar progress={progress} label="Objects loaded" />
      <button type="button" class="button" title="Objects then come when they are touched" onClick={stop}>
        Stop loading
      </button>
    </Notice>
  );
}

interface SuspendedProps {
  readonly app: App;
  readonly session: SessionRecord;
  readonly problem: string | null;
}

/** The page stays as it is; a key or a click anywhere brings the session back. */
export function Suspended({ app, session, problem }: SuspendedProps): JSX.Element {
  const { cause } = endingOf(session);
  return (
    <Notice role="status" id="suspended" look={problem === null ? "plain" : "danger"}>
      <span>
        {problem ?? cause} <span class="notice-hint">Press a key or click into the page to go on.</span>
      </span>
      <button type="button" class="button button-primary" onClick={() => app.resume()}>
        Resume
      </button>
      <button type="button" class="button" onClick={() => app.chooseStart()}>
        Other ways…
      </button>
    </Notice>
  );
}

/** The words of the overlay put aside, to look at the page meanwhile. */
export function EndedAside({ app, session }: { readonly app: App; readonly session: SessionRecord }): JSX.Element {
  const { title } = endingOf(session);
  return (
    <Notice role="status" id="ended" look="warning">
      <span>{title}.</span>
      <button
        type="button"
        class="button button-primary"
        onClick={() => {
          app.overlayAside.value = false;
        }}
      >
        Start R…
      </button>
    </Notice>
  );
}

function Amount({ progress, verb }: { readonly progress: Progress | null; readonly verb: string }): JSX.Element {
  if (progress === null || progress.total <= 0) return <>…</>;
  const total = Math.max(progress.total, progress.done);
  return (
    <>
      : {inBytes(progress.done)} of {inBytes(total)} {verb}
    </>
  );
}

function Bar({ progress, label }: { readonly progress: Progress | null; readonly label: string }): JSX.Element | null {
  if (progress === null || progress.total <= 0) return null;
  return <progress aria-label={label} max={Math.max(progress.total, progress.done)} value={progress.done} />;
}

function useTimeLeft(endsAt: number): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return endsAt - now;
}
