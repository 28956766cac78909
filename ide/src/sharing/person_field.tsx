import type { JSX } from "preact";
import type { Account } from "../net/sharing_protocol";
import { Name } from "./people_list";
import type { PeopleSearch } from "./people_search";

interface Props {
  readonly search: PeopleSearch;
  /** The users of the server are not listed. */
  readonly hidden: boolean;
  readonly add: (person: Account) => void;
}

/** Finds somebody by name while it is typed: arrows choose, Enter adds. */
export function PersonField({ search, hidden, add }: Props): JSX.Element {
  const take = (person: Account): void => {
    search.clear();
    add(person);
  };
  const pick = async (): Promise<void> => {
    const person = await search.pick();
    if (person !== null) take(person);
  };
  const press = (event: KeyboardEvent): void => {
    if (pressed(event, search, pick)) event.preventDefault();
  };
  return (
    <div class="person-field">
      <label htmlFor="person">Add somebody</label>
      <div class="person-entry">
        <Entry search={search} hidden={hidden} press={press} />
        <button type="button" class="button button-outlined" data-testid="person-add" onClick={() => void pick()}>
          Add
        </button>
        <Proposals search={search} take={take} />
      </div>
      <p class="person-hint" id="person-hint" role="status" data-testid="person-hint">
        {search.problem.value || (hidden ? "The list of users is hidden here: type the exact account name." : "")}
      </p>
    </div>
  );
}

/** True when the key meant something. */
function pressed({ key }: KeyboardEvent, search: PeopleSearch, pick: () => Promise<void>): boolean {
  const isOpen = search.shown.value.length > 0;
  if (key === "ArrowDown" || key === "ArrowUp") search.step(key === "ArrowDown" ? 1 : -1);
  else if (key === "Enter" && search.query.value.trim() !== "") void pick();
  else if (key === "Escape" && isOpen) search.forget();
  else return false;
  return true;
}

interface EntryProps {
  readonly search: PeopleSearch;
  readonly hidden: boolean;
  readonly press: (event: KeyboardEvent) => void;
}

function Entry({ search, hidden, press }: EntryProps): JSX.Element {
  const at = search.at.value;
  return (
    <input
      id="person"
      class="field"
      type="text"
      role="combobox"
      data-testid="person"
      maxLength={100}
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
      placeholder={hidden ? "Account name" : "Name"}
      aria-autocomplete="list"
      aria-expanded={search.shown.value.length > 0}
      aria-controls="person-proposals"
      aria-activedescendant={at < 0 ? undefined : `proposal-${at}`}
      aria-describedby="person-hint"
      value={search.query.value}
      onInput={(event) => search.type(event.currentTarget.value)}
      onKeyDown={press}
      onBlur={() => search.fold()}
    />
  );
}

interface ProposalsProps {
  readonly search: PeopleSearch;
  readonly take: (person: Account) => void;
}

function Proposals({ search, take }: ProposalsProps): JSX.Element {
  const people = search.shown.value;
  return (
    <div class="proposals" role="listbox" id="person-proposals" aria-label="People" hidden={people.length === 0}>
      {people.map((person, number) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: keys are those of the field, which keeps the focus
        <div
          key={person.name}
          id={`proposal-${number}`}
          class="proposal"
          role="option"
          aria-selected={number === search.at.value}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => take(person)}
        >
          <Name person={person} />
        </div>
      ))}
    </div>
  );
}
