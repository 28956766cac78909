import { type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { App } from "../app";
import type { Account, SharingState } from "../net/sharing_protocol";
import {
  changesAnything,
  type Draft,
  NO_CHANGE,
  type Row,
  rowsOf,
  taken,
  wantedMembers,
  withoutPerson,
  withPerson,
} from "./draft";
import { Outcome } from "./outcome";
import { PeopleList } from "./people_list";
import { PeopleSearch } from "./people_search";
import { PersonField } from "./person_field";

interface Props {
  readonly app: App;
  readonly state: SharingState;
  readonly leave: () => void;
}

/** Adds and takes out people; nothing happens before it is applied. */
export function OwnerView({ app, state, leave }: Props): JSX.Element {
  const draft = useSignal<Draft>(NO_CHANGE);
  const rows = rowsOf(state, draft.value);
  const search = usePeopleSearch(app, draft);
  const isBusy = app.sharing.work.value.kind === "running";
  const add = (person: Account): void => {
    draft.value = withPerson(draft.value, person);
    app.sharing.forgetWork();
  };
  const remove = (name: string): void => {
    draft.value = withoutPerson(draft.value, name);
    app.sharing.forgetWork();
    // The button that was pressed may be gone.
    document.getElementById("person")?.focus();
  };
  // What was refused stays, to be set right and sent again.
  useSignalEffect(() => {
    if (app.sharing.work.value.kind === "done") draft.value = NO_CHANGE;
  });
  const apply = (members: readonly string[]): void => void app.sharing.setMembers(members);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isBusy && changesAnything(rows)) apply(wantedMembers(rows));
  };
  return (
    <form onSubmit={submit} noValidate>
      <p>
        Members read and change all files of the project, and see who else is in it. What they write there, such as
        .Rprofile, can run with your account: share only with people whom you trust with it.
      </p>
      <PersonField search={search} hidden={!state.lists_people} add={add} />
      <PeopleList state={state} rows={rows} own={app.session.value?.user ?? ""} keep={add} remove={remove} />
      <Repair app={app} state={state} isIdle={!isBusy && !changesAnything(rows)} />
      <Unfinished state={state} isBusy={isBusy} apply={apply} />
      <Outcome app={app} told={state.unfinished?.sentence ?? ""} />
      <Buttons rows={rows} isBusy={isBusy} leave={leave} />
    </form>
  );
}

function usePeopleSearch(app: App, draft: Signal<Draft>): PeopleSearch {
  const names = useComputed(() => {
    const state = app.sharing.state.value;
    return state === null ? new Set<string>() : taken(state, rowsOf(state, draft.value));
  });
  const [search] = useState(
    () =>
      new PeopleSearch(
        (query, limit) => app.rpc.call("sharing_find_people", [query, limit]),
        () => names.peek(),
      ),
  );
  return search;
}

interface RepairProps {
  readonly app: App;
  readonly state: SharingState;
  /** Nothing runs, and nothing waits to be applied. */
  readonly isIdle: boolean;
}

/** Programs close files to others now and then; only the server can open those that a member made. */
function Repair({ app, state, isIdle }: RepairProps): JSX.Element | null {
  if (state.members.length === 0 || state.unfinished !== null) return null;
  return (
    <div class="share-repair">
      <span>Can somebody not open a file of the project?</span>
      <button
        type="button"
        class="button button-outlined"
        data-testid="share-repair"
        disabled={!isIdle}
        onClick={() => void app.sharing.repair()}
      >
        Repair access
      </button>
    </div>
  );
}

interface UnfinishedProps {
  readonly state: SharingState;
  readonly isBusy: boolean;
  readonly apply: (members: readonly string[]) => void;
}

/** A change that stopped half way goes on, or back to those who were members before. */
function Unfinished({ state, isBusy, apply }: UnfinishedProps): JSX.Element | null {
  const { unfinished } = state;
  if (unfinished === null || isBusy) return null;
  return (
    <div class="card-problem share-unfinished" role="alert">
      <span>{unfinished.sentence}</span>
      {unfinished.members.length + state.members.length > 0 ? (
        <button
          type="button"
          class="button button-outlined"
          data-testid="share-complete"
          onClick={() => apply(unfinished.members)}
        >
          Complete it
        </button>
      ) : null}
      <button
        type="button"
        class="button button-outlined"
        data-testid="share-take-back"
        onClick={() => apply(state.members.map(({ name }) => name))}
      >
        Take it back
      </button>
    </div>
  );
}

interface ButtonsProps {
  readonly rows: readonly Row[];
  readonly isBusy: boolean;
  readonly leave: () => void;
}

function Buttons({ rows, isBusy, leave }: ButtonsProps): JSX.Element {
  const takesAway = rows.some(({ fate }) => fate === "goes");
  return (
    <div class="dialog-buttons">
      <button type="button" class="button" onClick={leave} data-testid="share-close">
        Close
      </button>
      <button
        type="submit"
        class="button button-primary"
        data-testid="share-apply"
        disabled={isBusy || !changesAnything(rows)}
      >
        {takesAway ? "Apply changes" : "Share"}
      </button>
    </div>
  );
}
