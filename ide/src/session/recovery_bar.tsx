import type { JSX } from "preact";
import type { App } from "../app";
import { startEmpty } from "./ending_commands";
import { recoverySentences } from "./recovery";

/** After a crash: what came back, until somebody decides. Both answers can wait, and neither loses anything. */
export function RecoveryBar({ app }: { readonly app: App }): JSX.Element | null {
  const recovered = app.recovered.value;
  if (recovered === null || app.link.link.value.kind !== "live") return null;
  const run = (action: Promise<unknown>): void => void action.catch((error: unknown) => app.report(error));
  return (
    <div class="banner" role="status" data-testid="recovery">
      <span>{recoverySentences(recovered)}</span>
      <button type="button" class="button button-primary" onClick={() => run(app.rpc.call("keep_restored", []))}>
        Keep
      </button>
      <button
        type="button"
        class="button"
        title="Everything is moved aside in your state folder, not deleted"
        onClick={() => run(startEmpty(app))}
      >
        Start empty instead
      </button>
    </div>
  );
}
