import type { JSX } from "preact";
import type { App } from "../app";
import type { SessionInfo } from "../net/protocol";
import type { Link } from "../net/session_link";
import { Faces } from "../presence/faces";
import { ProjectMenu } from "../project/project_menu";
import { SessionMenu } from "../session/session_menu";
import { Icon } from "./icon";
import { PRODUCT } from "./product";

/** The line at the top: where you are, how the connection stands, the way to stop R and to leave. */
export function Header({ app }: { readonly app: App }): JSX.Element {
  const session = app.session.value;
  return (
    <header class="top">
      <h1 class="brand">
        <span class="brand-mark" aria-hidden="true">
          R
        </span>
        {PRODUCT}
      </h1>
      <ProjectMenu app={app} />
      <Faces app={app} />
      {session === null ? null : <span class="top-detail">{versionWords(session)}</span>}
      <Connection link={app.link.link.value} />
      <span class="top-space" />
      <StopButton app={app} />
      {session === null ? null : <span class="top-user">{session.user}</span>}
      <SessionMenu app={app} />
      <a class="button" href="../../home" data-testid="sessions-link" title="All your sessions">
        Sessions
      </a>
      <button type="button" class="button" data-testid="sign-out" onClick={() => signOut(app)}>
        <Icon name="signOut" />
        <span>Sign out</span>
      </button>
    </header>
  );
}

function versionWords({ r_version, r_label }: SessionInfo): string {
  return r_label === "" ? `R ${r_version}` : `R ${r_version} (${r_label})`;
}

function StopButton({ app }: { readonly app: App }): JSX.Element {
  const live = app.interruptible.value;
  return (
    <button
      type="button"
      class={`button stop ${live ? "stop-live" : ""}`}
      data-testid="stop-button"
      disabled={!live}
      title={live ? "Stop what R is doing (Esc in the console)" : "R is waiting for input"}
      onClick={() => app.interrupt()}
    >
      <Icon name="stop" solid />
      <span>Stop</span>
    </button>
  );
}

const WORDS: Readonly<Record<Link["kind"], string>> = {
  starting: "Connecting",
  live: "Connected",
  reconnecting: "Reconnecting",
  "signed-out": "Signed out",
  ended: "R is not running",
};

function Connection({ link }: { readonly link: Link }): JSX.Element {
  const slow = link.kind === "live" && link.via === "polling";
  const starting = link.kind === "starting" && link.launching;
  const suspended = link.kind === "ended" && link.session.state === "suspended";
  const words = starting ? "Starting R" : suspended ? "Suspended" : WORDS[link.kind];
  return (
    <span
      class={`connection connection-${suspended ? "suspended" : link.kind}`}
      role="status"
      data-testid="connection-state"
      data-state={link.kind}
      title={slow ? "WebSocket is blocked on the way; using plain requests" : words}
    >
      <span class="connection-dot" aria-hidden="true" />
      {words}
    </span>
  );
}

/** Unsent text goes to the session first; the session itself keeps running. */
async function signOut(app: App): Promise<void> {
  try {
    await app.documents.flushAll();
    await app.link.leave(() => app.api.signOut());
    location.assign("../../auth-sign-in");
  } catch (error) {
    app.report(error);
  }
}
