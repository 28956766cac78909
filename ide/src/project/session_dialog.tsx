import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { App } from "../app";
import { messageOf } from "../net/rpc";
import type { RVersion } from "../net/server_api";
import { Modal } from "../shell/dialog_host";
import { change, type FormSignal } from "./form_signal";
import { openInNewTab, openInThisTab } from "./opening";
import { ProjectFields } from "./project_fields";
import {
  emptyForm,
  folderOf,
  type Leaving,
  OTHER,
  type Purpose,
  problemOf,
  type SessionForm,
  wantedSession,
} from "./session_form";

const TITLES: Readonly<Record<Purpose, string>> = {
  "new-session": "New session",
  "open-project": "Open a project",
  "new-project": "New project",
};

interface Props {
  readonly app: App;
  readonly purpose: Purpose;
  readonly leave: () => void;
}

/** Asks what a new session shall be, and opens it here or in another tab. */
export function SessionDialog({ app, purpose, leave }: Props): JSX.Element {
  const { form, several, versions, problem, working } = useSessionForm(app, purpose);
  const open = async (here: boolean): Promise<void> => {
    working.value = true;
    problem.value = problemOf(form.value) || (await objection(app, form.value));
    try {
      if (problem.value === "") {
        const wanted = wantedSession(form.value, purpose, here ? app.api.session : null);
        await (here ? openInThisTab(app, wanted) : openInNewTab(app, wanted));
        leave();
      }
    } catch (error) {
      problem.value = messageOf(error);
    }
    working.value = false;
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void open(event.submitter?.dataset.here === "yes" || !several.value);
  };
  return (
    <Modal title={TITLES[purpose]} leave={leave} class="session-dialog">
      <form onSubmit={submit} noValidate>
        <ProjectFields app={app} form={form} purpose={purpose} />
        <Naming form={form} versions={versions.value} />
        <SafeStart form={form} />
        <LeavingFields form={form} several={several.value} />
        {problem.value === "" ? null : (
          <p class="card-problem" role="alert">
            {problem.value}
          </p>
        )}
        <Buttons purpose={purpose} several={several.value} working={working.value} leave={leave} />
      </form>
    </Modal>
  );
}

function useSessionForm(app: App, purpose: Purpose) {
  const form = useSignal(emptyForm(purpose, app.project.newFolder.value, undefined));
  const several = useSignal(true);
  const versions = useSignal<readonly RVersion[]>([]);
  const problem = useSignal("");
  const working = useSignal(false);
  const read = async (): Promise<void> => {
    await Promise.all([app.project.reloadRecent(), app.sharing.reloadWithMe()]);
    const first = app.project.recent.value.find(
      (known) => !known.gone && known.folder !== app.project.open.value?.folder,
    );
    if (purpose === "open-project" && form.value.path === "" && first !== undefined)
      change(form, { project: first.folder });
    several.value = await app.api.allowsSeveral().catch(() => true);
    versions.value = await app.api.rVersions();
  };
  useEffect(() => void read(), []);
  return { form, several, versions, problem, working };
}

/** What the session of this page sees wrong with the folder, before it is left. */
async function objection(app: App, form: SessionForm): Promise<string> {
  const folder = folderOf(form);
  if (folder === "" || (form.create && form.project === OTHER)) return "";
  const check = await app.rpc.call("check_project", [folder]).catch(() => null);
  return check?.message ?? "";
}

interface NamingProps {
  readonly form: FormSignal;
  readonly versions: readonly RVersion[];
}

function Naming({ form, versions }: NamingProps): JSX.Element {
  return (
    <>
      <label class="labelled">
        <span>Label</span>
        <input
          class="field"
          type="text"
          maxLength={100}
          data-testid="session-label"
          value={form.value.label}
          onInput={(event) => change(form, { label: event.currentTarget.value })}
        />
      </label>
      {versions.length < 2 ? null : (
        <label class="labelled">
          <span>R version</span>
          <select
            class="field"
            data-testid="session-r-version"
            value={form.value.rVersion}
            onChange={(event) => change(form, { rVersion: event.currentTarget.value })}
          >
            <option value="">As usual</option>
            {versions.map((version) => (
              <option key={version.id} value={version.id}>
                {version.title}
              </option>
            ))}
          </select>
        </label>
      )}
    </>
  );
}

function SafeStart({ form }: { readonly form: FormSignal }): JSX.Element {
  return (
    <details class="safe-start">
      <summary>Safe start, when a session would not come up</summary>
      <label class="check">
        <input
          type="checkbox"
          checked={!form.value.profile}
          onChange={(event) => change(form, { profile: !event.currentTarget.checked })}
        />
        Without .Rprofile
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={!form.value.restore}
          onChange={(event) => change(form, { restore: !event.currentTarget.checked })}
        />
        Without restoring objects
      </label>
    </details>
  );
}

interface LeavingProps {
  readonly form: FormSignal;
  readonly several: boolean;
}

const LEAVING: readonly (readonly [Leaving, string])[] = [
  ["suspend", "Suspend it; its objects are kept"],
  ["save", "Quit it and save its objects to .RData"],
  ["quit", "Quit it without saving"],
  ["stay", "Let it run on"],
];

function LeavingFields({ form, several }: LeavingProps): JSX.Element {
  const choices = LEAVING.filter(([value]) => several || value !== "stay");
  return (
    <label class="labelled">
      <span>{several ? "When opened in this tab, the session that is here" : "The session that is here"}</span>
      <select
        class="field"
        data-testid="session-leaving"
        value={form.value.leaving}
        onChange={(event) => change(form, { leaving: event.currentTarget.value as Leaving })}
      >
        {choices.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ButtonsProps {
  readonly purpose: Purpose;
  readonly several: boolean;
  readonly working: boolean;
  readonly leave: () => void;
}

/** The first of the two is what Enter does. */
function Buttons({ purpose, several, working, leave }: ButtonsProps): JSX.Element {
  const places = !several ? ["here"] : purpose === "new-session" ? ["tab", "here"] : ["here", "tab"];
  return (
    <div class="dialog-buttons">
      <button type="button" class="button" onClick={leave}>
        Cancel
      </button>
      {places.map((place, number) => (
        <button
          key={place}
          type="submit"
          class={`button ${number === 0 ? "button-primary" : ""}`}
          data-here={place === "here" ? "yes" : "no"}
          data-testid={place === "here" ? "open-here" : "open-in-tab"}
          disabled={working}
        >
          {place === "here" ? "In this tab" : "In a new tab"}
        </button>
      ))}
    </div>
  );
}
