import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { App } from "../app";
import { messageOf } from "../net/rpc";
import type { Revoked, SavedCopies } from "../net/sharing_protocol";
import { Modal } from "../shell/dialog_host";
import { shortPath } from "../shell/file_paths";
import { download } from "./download";
import { type LostText, lostTexts } from "./lost_texts";
import { plain } from "./names";
import { revokedWords } from "./sharing_words";

interface Props {
  readonly app: App;
  readonly revoked: Revoked;
}

/** Tells that the project is gone for this user, saves what is in no file, and goes on without it. */
export function RevokedDialog({ app, revoked }: Props): JSX.Element {
  const { title, text } = revokedWords(revoked, app.session.value?.user ?? "");
  const lost = lostTexts(revoked, app.documents.documents.value);
  const saving = useSaving(app);
  const goOn = async (then: () => void = () => undefined): Promise<void> => {
    await app.sharing.seen().catch((error: unknown) => app.report(error));
    then();
  };
  return (
    <Modal title={title} leave={() => void goOn()} class="share-dialog">
      <p class="dialog-text" data-testid="revoked">
        {text} Your session goes on without the project; its objects, the console and the open texts stay.
      </p>
      <div class="rescue">
        {lost.length === 0 ? null : <Rescue app={app} revoked={revoked} lost={lost} save={saving.save} />}
        <Saved problem={saving.problem.value} copies={saving.copies.value} home={app.session.value?.home ?? ""} />
      </div>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => void goOn(() => location.assign("../../home"))}>
          Your sessions
        </button>
        <button
          type="button"
          class={`button ${lost.length === 0 ? "button-primary" : ""}`}
          data-testid="revoked-go-on"
          onClick={() => void goOn()}
        >
          Go on without the project
        </button>
      </div>
    </Modal>
  );
}

/** Saving what is in no file; what came of it stays to be read when nothing is left to save. */
function useSaving(app: App) {
  const problem = useSignal("");
  const copies = useSignal<SavedCopies | null>(null);
  const save = async (folder: string): Promise<void> => {
    problem.value = "";
    try {
      await app.documents.flushAll();
      copies.value = await app.sharing.saveCopies(folder);
      await app.documents.refresh();
    } catch (error) {
      problem.value = messageOf(error);
    }
  };
  return { problem, copies, save };
}

interface RescueProps extends Props {
  readonly lost: readonly LostText[];
  readonly save: (folder: string) => Promise<void>;
}

function Rescue({ app, revoked, lost, save }: RescueProps): JSX.Element {
  const folder = useSignal(shortPath(revoked.folder, app.session.value?.home ?? ""));
  const submit = (event: Event): void => {
    event.preventDefault();
    void save(folder.value.trim());
  };
  return (
    <form onSubmit={submit} noValidate>
      <p>These texts have changes that are in no file:</p>
      <LostList lost={lost} />
      <div class="folder-field">
        <label class="labelled">
          <span>Save copies in the folder</span>
          <input
            class="field"
            type="text"
            spellcheck={false}
            maxLength={3072}
            data-testid="rescue-folder"
            value={folder.value}
            onInput={(event) => {
              folder.value = event.currentTarget.value;
            }}
          />
        </label>
        <button type="submit" class="button button-primary" data-testid="rescue-save">
          Save copies
        </button>
      </div>
    </form>
  );
}

function LostList({ lost }: { readonly lost: readonly LostText[] }): JSX.Element {
  return (
    <ul class="share-people">
      {lost.map(({ id, name, text }) => (
        <li key={id} class="share-person">
          <span class="share-name">
            <bdi>{plain(name)}</bdi>
          </span>
          <button
            type="button"
            class="button button-outlined"
            aria-label={`Download ${plain(name)}`}
            onClick={() => download(name, text)}
          >
            Download
          </button>
        </li>
      ))}
    </ul>
  );
}

interface SavedProps {
  readonly problem: string;
  readonly copies: SavedCopies | null;
  readonly home: string;
}

function Saved({ problem, copies, home }: SavedProps): JSX.Element {
  const problems = [problem, ...(copies?.failed ?? []).map(({ name, reason }) => `${plain(name)}: ${reason}`)];
  const count = copies?.saved.length ?? 0;
  return (
    <>
      <p role="status" class="share-done">
        {copies === null || count === 0
          ? ""
          : `${count === 1 ? "One copy is" : `${count} copies are`} in ${shortPath(copies.folder, home)}.`}
      </p>
      {problems.filter(Boolean).map((each) => (
        <p key={each} class="card-problem" role="alert">
          {each}
        </p>
      ))}
    </>
  );
}
