import { ChangeSet, Text } from "@codemirror/state";

/**
 * One document as the page and the session know it. `confirmed` is the session's text at `revision`; `inFlight` is on
 * its way to the session, `unsent` was typed since. The three composed give the text the user sees.
 */
export interface SyncState {
  readonly revision: number;
  readonly confirmed: Text;
  readonly inFlight: ChangeSet | null;
  readonly unsent: ChangeSet | null;
}

export interface Splice {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

export function textOf(contents: string): Text {
  return Text.of(contents.split("\n"));
}

export function synced(revision: number, contents: string): SyncState {
  return { revision, confirmed: textOf(contents), inFlight: null, unsent: null };
}

export function isClean(state: SyncState): boolean {
  return state.inFlight === null && state.unsent === null;
}

/** The text the user sees. */
export function currentText(state: SyncState): Text {
  return local(state)?.apply(state.confirmed) ?? state.confirmed;
}

/** The user changed the text. */
export function edited(state: SyncState, changes: ChangeSet): SyncState {
  return { ...state, unsent: state.unsent?.compose(changes) ?? changes };
}

/** Takes everything unsent as one splice to send; null when there is nothing or something is on its way already. */
export function take(state: SyncState): { readonly state: SyncState; readonly splice: Splice } | null {
  if (state.unsent === null || state.inFlight !== null) return null;
  const splice = coveringSplice(state.unsent, state.unsent.apply(state.confirmed));
  return { state: { ...state, inFlight: state.unsent, unsent: null }, splice };
}

/** The session has what was on its way. */
export function acknowledged(state: SyncState, revision: number): SyncState {
  const confirmed = state.inFlight?.apply(state.confirmed) ?? state.confirmed;
  return { ...state, revision, confirmed, inFlight: null };
}

/** What was on its way did not arrive, or nobody knows; it is sent again with the next splice. */
export function notDelivered(state: SyncState): SyncState {
  return { ...state, inFlight: null, unsent: local(state) };
}

/**
 * The session has `contents` at `revision`. Edits made here and not yet confirmed are kept on top of it; `changes` is
 * what the editor must do to its text, null when it shows the result already.
 */
export function rebased(
  state: SyncState,
  revision: number,
  contents: string,
): { readonly state: SyncState; readonly changes: ChangeSet | null } {
  const theirs = textOf(contents);
  const ours = local(state);
  const after = synced(revision, contents);
  if (ours === null) return { state: after, changes: difference(state.confirmed, theirs) };
  if (ours.apply(state.confirmed).eq(theirs)) return { state: after, changes: null };
  const arrived = state.inFlight?.apply(state.confirmed);
  if (arrived?.eq(theirs)) return { state: { ...after, unsent: state.unsent }, changes: null };
  const change = difference(state.confirmed, theirs);
  if (change === null) return { state: { ...after, unsent: ours }, changes: null };
  return { state: { ...after, unsent: ours.map(change, true) }, changes: change.map(ours) };
}

/** The session has `contents`, but the text here counts: what differs is to be sent. */
export function shadowed(state: SyncState, revision: number, contents: string): SyncState {
  const confirmed = textOf(contents);
  return { revision, confirmed, inFlight: null, unsent: difference(confirmed, currentText(state)) };
}

/** The smallest single replacement that turns one text into the other; null when they are equal. */
export function difference(before: Text, after: Text): ChangeSet | null {
  if (before.eq(after)) return null;
  const a = before.toString();
  const b = after.toString();
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < shorter - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const insert = textOf(b.slice(start, b.length - end));
  return ChangeSet.of({ from: start, to: a.length - end, insert }, a.length);
}

function local(state: SyncState): ChangeSet | null {
  if (state.inFlight === null) return state.unsent;
  return state.unsent === null ? state.inFlight : state.inFlight.compose(state.unsent);
}

function coveringSplice(changes: ChangeSet, after: Text): Splice {
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  let fromAfter = Number.POSITIVE_INFINITY;
  let toAfter = 0;
  changes.iterChangedRanges((fromA, toA, fromB, toB) => {
    from = Math.min(from, fromA);
    to = Math.max(to, toA);
    fromAfter = Math.min(fromAfter, fromB);
    toAfter = Math.max(toAfter, toB);
  });
  if (from > to) return { from: 0, to: 0, insert: "" };
  return { from, to, insert: after.sliceString(fromAfter, toAfter, "\n") };
}
