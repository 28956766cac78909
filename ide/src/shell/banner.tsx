import type { JSX } from "preact";
import type { App } from "../app";
import { useElapsed } from "./elapsed";

const QUIET_SECONDS = 1;

/** A line below the header while the connection is away (your typing is kept meanwhile) or memory runs short. */
export function Banner({ app }: { readonly app: App }): JSX.Element | null {
  const link = app.link.link.value;
  if (link.kind === "reconnecting") return <Reconnecting app={app} since={link.since} />;
  if (link.kind === "signed-out") return <SignedOut app={app} />;
  return <MemoryShort text={app.memory.warning.value} />;
}

function MemoryShort({ text }: { readonly text: string | null }): JSX.Element | null {
  if (text === null) return null;
  return (
    <div class="banner banner-warning" role="alert" data-testid="memory-banner">
      <span>{text}</span>
    </div>
  );
}

function Reconnecting({ app, since }: { readonly app: App; readonly since: number }): JSX.Element | null {
  const seconds = useElapsed(since);
  if (seconds < QUIET_SECONDS) return null;
  return (
    <div class="banner" role="status" data-testid="banner">
      <span class="spinner" aria-hidden="true" />
      <span>The server does not answer ({seconds} s). Trying again; what you type is kept.</span>
      <button type="button" class="button" onClick={() => app.link.retryNow()}>
        Try now
      </button>
    </div>
  );
}

function SignedOut({ app }: { readonly app: App }): JSX.Element {
  return (
    <div class="banner banner-warning" role="alert" data-testid="banner">
      <span>You are signed out. Sign in again and this page goes on where it was.</span>
      <a
        class="button button-primary"
        data-testid="sign-in-again"
        href="../../auth-sign-in"
        target="_blank"
        rel="noopener"
      >
        Sign in again
      </a>
      <button type="button" class="button" onClick={() => app.link.retryNow()}>
        I have signed in
      </button>
    </div>
  );
}
