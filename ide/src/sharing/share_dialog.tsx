import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { App } from "../app";
import { messageOf } from "../net/rpc";
import { Modal } from "../shell/dialog_host";
import { MemberView } from "./member_view";
import { plain } from "./names";
import { OwnerView } from "./owner_view";

interface Props {
  readonly app: App;
  readonly leave: () => void;
}

/** Who is in the open project; its owner changes that, a member can leave. */
export function ShareDialog({ app, leave }: Props): JSX.Element {
  const problem = useSignal("");
  const close = (): void => {
    app.sharing.forgetWork();
    leave();
  };
  useEffect(() => {
    app.sharing.reload().catch((error: unknown) => {
      problem.value = messageOf(error);
    });
  }, []);
  const state = app.sharing.state.value;
  const isClosed = app.project.open.value === null;
  useEffect(() => {
    if (isClosed) close();
  }, [isClosed]);
  const name = plain(app.project.open.value?.name ?? "");
  const title = state?.mine === false ? `People in “${name}”` : `Share “${name}”`;
  return (
    <Modal title={title} leave={close} class="share-dialog">
      {state === null ? <Reason text={problem.value || "…"} leave={close} /> : null}
      {state?.supported === false ? <Reason text={state.reason} leave={close} /> : null}
      {state?.supported && state.mine ? <OwnerView app={app} state={state} leave={close} /> : null}
      {state?.supported && !state.mine ? <MemberView app={app} state={state} leave={close} /> : null}
    </Modal>
  );
}

interface ReasonProps {
  readonly text: string;
  readonly leave: () => void;
}

function Reason({ text, leave }: ReasonProps): JSX.Element {
  return (
    <>
      <p class="dialog-text" role="status">
        {text}
      </p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={leave}>
          Close
        </button>
      </div>
    </>
  );
}
