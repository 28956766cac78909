import type { Account, Member, SharingState } from "../net/sharing_protocol";

/** What the owner wants changed and has not sent yet: on top of whoever the members are at the moment. */
export interface Draft {
  readonly added: readonly Account[];
  readonly removed: readonly string[];
}

export const NO_CHANGE: Draft = { added: [], removed: [] };

/** Somebody on the list, and what is to become of them. */
export interface Row {
  readonly person: Member;
  readonly fate: "stays" | "comes" | "goes";
}

/** Members in their order, then those to come. */
export function rowsOf({ members }: Pick<SharingState, "members">, { added, removed }: Draft): readonly Row[] {
  const names = new Set(members.map(({ name }) => name));
  return [
    ...members.map((person): Row => ({ person, fate: removed.includes(person.name) ? "goes" : "stays" })),
    ...added
      .filter(({ name }) => !names.has(name))
      .map((person): Row => ({ person: { ...person, here: false }, fate: "comes" })),
  ];
}

export function withPerson({ added, removed }: Draft, person: Account): Draft {
  const others = added.filter(({ name }) => name !== person.name);
  return { added: [...others, person], removed: removed.filter((name) => name !== person.name) };
}

export function withoutPerson({ added, removed }: Draft, name: string): Draft {
  const others = removed.filter((each) => each !== name);
  return { added: added.filter((person) => person.name !== name), removed: [...others, name] };
}

/** Who are members when the draft is carried out. */
export function wantedMembers(rows: readonly Row[]): readonly string[] {
  return rows.filter(({ fate }) => fate !== "goes").map(({ person }) => person.name);
}

export function changesAnything(rows: readonly Row[]): boolean {
  return rows.some(({ fate }) => fate !== "stays");
}

/** Who is not to be proposed: the owner and everybody who stays or comes. */
export function taken(state: SharingState, rows: readonly Row[]): ReadonlySet<string> {
  return new Set([...(state.owner === null ? [] : [state.owner.name]), ...wantedMembers(rows)]);
}
