import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { App } from "../app";
import type { FileEntry } from "../net/protocol";
import { plain } from "../sharing/names";
import { Entries, FolderLine, useFolder } from "../shell/file_dialog";
import { joinPath } from "../shell/file_paths";
import { change, type FormSignal } from "./form_signal";
import { OTHER, type Purpose } from "./session_form";

interface Props {
  readonly app: App;
  readonly form: FormSignal;
  readonly purpose: Purpose;
}

/** Which project: none, a recent one, or a folder that is typed or looked for. */
export function ProjectFields({ app, form, purpose }: Props): JSX.Element {
  const recent = app.project.recent.value.filter((known) => !known.gone);
  const folders = new Set(recent.map((known) => known.folder));
  const shared = app.sharing.withMe.value.filter(({ project_dir }) => !folders.has(project_dir));
  return (
    <>
      {purpose === "new-project" ? null : (
        <label class="labelled">
          <span>Project</span>
          <select
            class="field"
            data-testid="project-choice"
            value={form.value.project}
            onChange={(event) => change(form, { project: event.currentTarget.value })}
          >
            {purpose === "new-session" ? <option value="">None</option> : null}
            {recent.map((known) => (
              <option key={known.folder} value={known.folder}>
                {known.name} — {known.folder}
              </option>
            ))}
            {shared.length === 0 ? null : (
              <optgroup label="Shared with you">
                {shared.map(({ project_dir, name, owner }) => (
                  <option key={project_dir} value={project_dir}>
                    {plain(name)} — of {plain(owner)}
                  </option>
                ))}
              </optgroup>
            )}
            <option value={OTHER}>Another folder…</option>
          </select>
        </label>
      )}
      {form.value.project === OTHER ? <FolderFields app={app} form={form} purpose={purpose} /> : null}
    </>
  );
}

function FolderFields({ app, form, purpose }: Props): JSX.Element {
  const browsing = useSignal(false);
  return (
    <>
      <div class="folder-field">
        <label class="labelled">
          <span>{purpose === "new-project" ? "Folder of the new project" : "Folder of the project"}</span>
          <input
            class="field"
            type="text"
            spellcheck={false}
            maxLength={3072}
            placeholder="~/folder"
            data-testid="project-path"
            value={form.value.path}
            onInput={(event) => change(form, { path: event.currentTarget.value })}
          />
        </label>
        <button
          type="button"
          class="button button-outlined"
          data-testid="project-browse"
          aria-expanded={browsing.value}
          onClick={() => {
            browsing.value = !browsing.value;
          }}
        >
          Browse…
        </button>
      </div>
      {browsing.value ? <FolderBrowser app={app} form={form} /> : null}
      {purpose === "new-project" ? null : (
        <label class="check">
          <input
            type="checkbox"
            data-testid="project-create"
            checked={form.value.create}
            onChange={(event) => change(form, { create: event.currentTarget.checked })}
          />
          Make it a project when it is none, and the folder when it is missing
        </label>
      )}
    </>
  );
}

/** The folders that the session of this page sees. */
function FolderBrowser({ app, form }: { readonly app: App; readonly form: FormSignal }): JSX.Element {
  const { listing, problem, show } = useFolder(app, form.value.path || "~");
  const folders = listing.value && { ...listing.value, entries: listing.value.entries.filter(isFolderOrProject) };
  const go = async (path: string): Promise<void> => {
    await show(path);
    if (listing.value !== null) change(form, { path: listing.value.path });
  };
  const take = (entry: FileEntry, folder: string): void => {
    if (entry.kind === "dir") void go(joinPath(folder, entry.name));
    else change(form, { path: folder });
  };
  return (
    <div class="folder-browser">
      <FolderLine listing={listing.value} show={go} />
      {problem.value === "" ? null : (
        <p class="card-problem" role="alert">
          {problem.value}
        </p>
      )}
      <Entries listing={folders} take={take} />
    </div>
  );
}

function isFolderOrProject(entry: FileEntry): boolean {
  return entry.kind === "dir" ? !entry.name.startsWith(".") : entry.name.endsWith(".Rproj");
}
