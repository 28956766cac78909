import type { JSX } from "preact";
import type { App } from "../app";
import type { Person } from "../net/protocol";
import { ShareItem } from "../sharing/share_item";
import { MenuButton, MenuItem } from "../shell/menu";
import { Face } from "./face";

const MOST_FACES = 5;

/** The others in the project, as faces beside its name; a click lists where each of them is. */
export function Faces({ app }: { readonly app: App }): JSX.Element | null {
  const people = app.presence.people.value;
  if (people.length === 0) return null;
  return (
    <div class="faces">
      <MenuButton
        label="Also in this project"
        testId="faces"
        listId="people"
        look="faces-button"
        title={people.map((person) => `${person.name}: ${whereabouts(person)}`).join("\n")}
        face={<Strip people={people} />}
      >
        {people.map((person) => (
          <PersonItem key={person.session} app={app} person={person} />
        ))}
        <ShareItem app={app} />
      </MenuButton>
      <Followed app={app} />
    </div>
  );
}

function Strip({ people }: { readonly people: readonly Person[] }): JSX.Element {
  const faces = [...new Map(people.map((person) => [person.user, person])).values()];
  const more = faces.length - MOST_FACES;
  return (
    <>
      {faces.slice(0, MOST_FACES).map((person) => (
        <Face key={person.user} user={person.user} name={person.name} />
      ))}
      {more > 0 ? (
        <span class="face-more" aria-hidden="true">
          +{more}
        </span>
      ) : null}
      <span class="faces-names">Also in this project: {faces.map((person) => person.name).join(", ")}</span>
    </>
  );
}

/** A person's place as people write it. */
export function whereabouts({ file, line }: Person): string {
  if (file === "") return "no file of the project";
  return line === 0 ? file : `${file}:${line}`;
}

function PersonItem({ app, person }: { readonly app: App; readonly person: Person }): JSX.Element {
  const isOwn = person.user === app.session.value?.user;
  return (
    <MenuItem
      title={`Follow ${person.name} (${person.user}) until you type or press Escape`}
      run={() => app.presence.follow(person.session)}
    >
      <Face user={person.user} name={person.name} />
      <bdi>{isOwn ? "You, in another session" : person.name}</bdi>
      <bdi class="menu-detail" data-testid="whereabouts">
        {whereabouts(person)}
      </bdi>
    </MenuItem>
  );
}

function Followed({ app }: { readonly app: App }): JSX.Element | null {
  const person = app.presence.followed.value;
  if (person === null) return null;
  return (
    <button
      type="button"
      class="button followed"
      data-testid="followed"
      title="Stop following (Esc)"
      onClick={() => app.presence.stop()}
    >
      Following <bdi>{person.name}</bdi> — Esc
    </button>
  );
}
