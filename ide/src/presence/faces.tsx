import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { App } from "../app";
import type { Person } from "../net/protocol";
import { useClosing } from "../shell/closing";
import { useMenuKeys } from "../shell/menu_keys";
import { colourOf, initialsOf } from "./face_look";

const MOST_FACES = 5;

/** The others in the project, as faces beside its name; a click lists where each of them is. */
export function Faces({ app }: { readonly app: App }): JSX.Element | null {
  const shown = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  const close = (): void => {
    shown.value = false;
  };
  useClosing(place, close);
  const people = app.presence.people.value;
  if (people.length === 0) return null;
  const faces = [...new Map(people.map((person) => [person.user, person])).values()];
  const more = faces.length - MOST_FACES;
  return (
    <div class="project-menu faces" ref={place}>
      <button
        type="button"
        class="button faces-button"
        data-testid="faces"
        aria-haspopup="menu"
        aria-expanded={shown.value}
        title={people.map((person) => `${person.name}: ${whereabouts(person)}`).join("\n")}
        onClick={() => {
          shown.value = !shown.value;
        }}
      >
        {faces.slice(0, MOST_FACES).map((person) => (
          <Face key={person.user} person={person} />
        ))}
        {more > 0 ? (
          <span class="face-more" aria-hidden="true">
            +{more}
          </span>
        ) : null}
        <span class="faces-names">Also in this project: {faces.map((person) => person.name).join(", ")}</span>
      </button>
      {shown.value ? <People app={app} close={close} /> : null}
      <Followed app={app} />
    </div>
  );
}

/** A person's place as people write it. */
export function whereabouts({ file, line }: Person): string {
  if (file === "") return "no file of the project";
  return line === 0 ? file : `${file}:${line}`;
}

function Face({ person }: { readonly person: Person }): JSX.Element {
  return (
    <span class={`face face-${colourOf(person.user)}`} data-testid="face" aria-hidden="true">
      {initialsOf(person.name)}
    </span>
  );
}

interface PeopleProps {
  readonly app: App;
  readonly close: () => void;
}

function People({ app, close }: PeopleProps): JSX.Element {
  const menu = useRef<HTMLDivElement>(null);
  const press = useMenuKeys(menu);
  const own = app.session.value?.user;
  const follow = (person: Person): void => {
    close();
    app.presence.follow(person.session);
  };
  return (
    <div class="menu" role="menu" aria-label="Also in this project" ref={menu} onKeyDown={press} data-testid="people">
      {app.presence.people.value.map((person) => (
        <button
          key={person.session}
          type="button"
          role="menuitem"
          class="menu-item"
          title={`Follow ${person.name} (${person.user}) until you type or press Escape`}
          onClick={() => follow(person)}
        >
          <Face person={person} />
          <bdi>{person.user === own ? "You, in another session" : person.name}</bdi>
          <bdi class="menu-detail" data-testid="whereabouts">
            {whereabouts(person)}
          </bdi>
        </button>
      ))}
    </div>
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
