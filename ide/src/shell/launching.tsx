import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { App } from "../app";
import type { Link } from "../net/session_link";
import { useElapsed } from "./elapsed";

const COUNTED_SECONDS = 2;
const LONG_SECONDS = 8;

type Starting = Extract<Link, { kind: "starting" }>;

/** While R starts: since when, and the ways out once it takes long. */
export function Launching({ app, link }: { readonly app: App; readonly link: Starting }): JSX.Element {
  const seconds = useElapsed(link.since);
  const isLong = seconds >= LONG_SECONDS;
  return (
    <div class={`overlay ${isLong ? "" : "overlay-quiet"}`} data-testid="session-launching">
      <div class={`card ${isLong ? "" : "card-small"}`}>
        <p class="launching" role="status">
          <span class="spinner" aria-hidden="true" />
          <span>
            {link.resuming ? "Resuming the session" : "Starting R"}
            {seconds >= COUNTED_SECONDS ? <span aria-hidden="true"> ({seconds} s)</span> : "…"}
          </span>
        </p>
        {isLong ? <WaysOut app={app} /> : null}
      </div>
    </div>
  );
}

function WaysOut({ app }: { readonly app: App }): JSX.Element {
  const [isAsked, setAsked] = useState(false);
  const stop = (): void => {
    setAsked(true);
    void app.api.kill().catch((error: unknown) => {
      setAsked(false);
      app.report(error);
    });
  };
  return (
    <>
      <p class="card-note">
        This takes long. Usual reasons are a login script that works long or waits, and a home directory on a slow file
        server. You may leave this page: the start goes on. Once it is stopped you can choose another way, without
        restoring objects or without .Rprofile.
      </p>
      <div class="choices">
        <button type="button" class="button" data-testid="launch-stop" disabled={isAsked} onClick={stop}>
          Stop the start
        </button>
        <a class="button" href="../../home">
          Your sessions
        </a>
      </div>
    </>
  );
}
