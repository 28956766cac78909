import type { JSX } from "preact";
import type { Account, SharingState } from "../net/sharing_protocol";
import { Face } from "../presence/face";
import type { Row } from "./draft";
import { calledBy, plain } from "./names";

interface ListProps {
  readonly state: SharingState;
  readonly rows: readonly Row[];
  /** Account of who looks at it. */
  readonly own: string;
  /** Missing for who may not change the list. */
  readonly remove?: (name: string) => void;
  readonly keep?: (person: Account) => void;
}

/** The owner, the members, and who of them is here. */
export function PeopleList({ state, rows, own, remove, keep }: ListProps): JSX.Element {
  return (
    <ul class="share-people" aria-label="In this project" data-testid="share-people">
      {state.owner === null ? null : (
        <li class="share-person">
          <Name person={state.owner} own={own} />
          <span class="share-mark">Owner</span>
        </li>
      )}
      {rows.map((row) => (
        <li key={row.person.name} class={`share-person share-${row.fate}`} data-testid={`person-${row.person.name}`}>
          <Name person={row.person} own={own} />
          <span class="share-mark">{markOf(row)}</span>
          {remove === undefined || keep === undefined ? null : <Change row={row} remove={remove} keep={keep} />}
        </li>
      ))}
      {rows.length === 0 ? <li class="share-nobody">Nobody else yet.</li> : null}
    </ul>
  );
}

function markOf({ person, fate }: Row): string {
  if (fate === "comes") return "will be added";
  if (fate === "goes") return "will be removed";
  return person.here ? "is here" : "";
}

interface NameProps {
  readonly person: Account;
  /** Account of who looks at it. */
  readonly own?: string;
}

/** Face, name and account. */
export function Name({ person, own }: NameProps): JSX.Element {
  const name = calledBy(person);
  const account = plain(person.name);
  return (
    <>
      <Face user={person.name} name={name} />
      <span class="share-name">
        <bdi>{person.name === own ? `${name} (you)` : name}</bdi>
        {name === account ? null : <bdi class="share-account">{account}</bdi>}
      </span>
    </>
  );
}

interface ChangeProps {
  readonly row: Row;
  readonly remove: (name: string) => void;
  readonly keep: (person: Account) => void;
}

function Change({ row: { person, fate }, remove, keep }: ChangeProps): JSX.Element {
  const goes = fate === "goes";
  const words = goes ? "Keep" : "Remove";
  return (
    <button
      type="button"
      class="button button-outlined"
      aria-label={`${words} ${calledBy(person)}`}
      onClick={() => (goes ? keep(person) : remove(person.name))}
    >
      {words}
    </button>
  );
}
