import type { JSX } from "preact";
import type { App } from "../app";
import type { SharingDone } from "../net/sharing_protocol";
import { plain } from "./names";
import type { Work } from "./sharing_store";
import { outcomeOf, progressWords } from "./sharing_words";

interface OutcomeProps {
  readonly app: App;
  /** A sentence that stands elsewhere already. */
  readonly told?: string;
}

/** How far a change is, and what came of it. */
export function Outcome({ app, told = "" }: OutcomeProps): JSX.Element {
  const work = app.sharing.work.value;
  const text = outcomeOf(work);
  return (
    <div class="share-outcome">
      {work.kind === "running" ? <Running app={app} work={work} /> : null}
      {work.kind === "failed" && text !== told ? (
        <p class="card-problem" role="alert" data-testid="share-problem">
          {text}
        </p>
      ) : null}
      <p role="status" class="share-done" data-testid="share-done">
        {work.kind === "done" ? text : ""}
      </p>
      {work.kind === "done" ? <Skipped result={work.result} /> : null}
    </div>
  );
}

interface RunningProps {
  readonly app: App;
  readonly work: Extract<Work, { kind: "running" }>;
}

function Running({ app, work }: RunningProps): JSX.Element {
  const { done, total, stopping } = work;
  const stop = (): void => {
    app.sharing.cancel().catch((error: unknown) => app.report(error));
  };
  // Without a total the bar says only that something goes on.
  const amount = total === null || total <= 0 ? {} : { max: Math.max(total, done), value: done };
  return (
    <div class="share-progress" data-testid="share-progress">
      <progress aria-label="Files and folders done" {...amount} />
      <span>{progressWords(work)}</span>
      <button type="button" class="button button-outlined" data-testid="share-stop" disabled={stopping} onClick={stop}>
        Stop
      </button>
    </div>
  );
}

function Skipped({ result }: { readonly result: SharingDone }): JSX.Element | null {
  if (result.skipped_paths.length === 0) return null;
  return (
    <details class="share-skipped">
      <summary>What was left alone, and why</summary>
      <ul>
        {result.skipped_paths.map(({ path, reason }) => (
          <li key={path}>
            <bdi class="path">{plain(path)}</bdi>: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}
