import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { App } from "../app";
import { OptionsDialog } from "../project/options_dialog";
import { SessionDialog } from "../project/session_dialog";
import { RevokedDialog } from "../sharing/revoked_dialog";
import { ShareDialog } from "../sharing/share_dialog";
import type { Question } from "./dialogs";
import { FileDialog } from "./file_dialog";

/** The place of the one dialog that may be open. */
export function DialogHost({ app }: { readonly app: App }): JSX.Element | null {
  const open = app.dialogs.open.value;
  const revoked = app.sharing.revoked.value;
  if (revoked !== null) return <RevokedDialog app={app} revoked={revoked} />;
  if (open === null) return null;
  if (open.type === "question") return <QuestionDialog question={open} />;
  if (open.type === "project-options") return <OptionsDialog app={app} leave={open.leave} />;
  if (open.type === "share") return <ShareDialog app={app} leave={open.leave} />;
  if (open.type === "session") return <SessionDialog app={app} purpose={open.purpose} leave={open.leave} />;
  return <FileDialog app={app} choice={open} />;
}

interface ModalProps {
  readonly title: string;
  readonly leave: () => void;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A modal dialog of the browser: focus stays inside, Escape leaves. */
export function Modal({ title, leave, children, ...rest }: ModalProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>(".field, .button-primary")?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${rest.class ?? ""}`}
      aria-labelledby="dialog-title"
      data-testid="dialog"
      onCancel={(event) => {
        event.preventDefault();
        leave();
      }}
    >
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

function QuestionDialog({ question }: { readonly question: Question }): JSX.Element {
  const leave = (): void => question.answer(null);
  return (
    <Modal title={question.title} leave={leave}>
      <p class="dialog-text">{question.text}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={leave}>
          Cancel
        </button>
        {question.choices.map((choice) => (
          <button
            key={choice.label}
            type="button"
            class={`button ${choice.look === undefined ? "" : `button-${choice.look}`}`}
            onClick={() => question.answer(choice.value)}
          >
            {choice.label}
          </button>
        ))}
      </div>
    </Modal>
  );
}
