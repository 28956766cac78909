import type { JSX } from "preact";
import { colourOf, initialsOf } from "./face_look";

interface Props {
  /** Account: decides the colour. */
  readonly user: string;
  readonly name: string;
}

/** Somebody as a coloured circle with letters; the name is told beside it. */
export function Face({ user, name }: Props): JSX.Element {
  return (
    <span class={`face person-colour-${colourOf(user)}`} data-testid="face" aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
