import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { App } from "../app";
import type { SharingState } from "../net/sharing_protocol";
import { NO_CHANGE, rowsOf } from "./draft";
import { calledBy } from "./names";
import { Outcome } from "./outcome";
import { PeopleList } from "./people_list";

interface Props {
  readonly app: App;
  readonly state: SharingState;
  readonly leave: () => void;
}

/** Who owns the project and who is in it; the way out of it. */
export function MemberView({ app, state, leave }: Props): JSX.Element {
  const isSure = useSignal(false);
  const owner = state.owner === null ? "Somebody else" : calledBy(state.owner);
  const isBusy = app.sharing.work.value.kind === "running";
  return (
    <>
      <p class="share-intro">
        <bdi>{owner}</bdi> owns this project and decides who is in it.
      </p>
      <PeopleList state={state} rows={rowsOf(state, NO_CHANGE)} own={app.session.value?.user ?? ""} />
      <Outcome app={app} />
      {isSure.value && !isBusy ? (
        <Sure
          leaveProject={() => void app.sharing.leave()}
          stay={() => {
            isSure.value = false;
          }}
        />
      ) : (
        <div class="dialog-buttons">
          <button
            type="button"
            class="button button-danger"
            data-testid="leave-project"
            disabled={isBusy}
            onClick={() => {
              isSure.value = true;
            }}
          >
            Leave project…
          </button>
          <button type="button" class="button button-primary" onClick={leave}>
            Close
          </button>
        </div>
      )}
    </>
  );
}

interface SureProps {
  readonly leaveProject: () => void;
  readonly stay: () => void;
}

function Sure({ leaveProject, stay }: SureProps): JSX.Element {
  return (
    <>
      <p class="share-intro" role="alert">
        You lose access to its files. Only the owner can share it with you again. What you wrote in it stays there.
      </p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={stay}>
          Stay
        </button>
        <button type="button" class="button button-danger" data-testid="leave-sure" onClick={leaveProject}>
          Leave project
        </button>
      </div>
    </>
  );
}
