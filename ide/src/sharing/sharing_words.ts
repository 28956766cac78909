import type { Revoked } from "../net/sharing_protocol";
import { calledBy, listed, plain } from "./names";
import type { Work } from "./sharing_store";

const MOST_NAMED = 5;
const THINGS = "files and folders";

/** What came of a change, in a sentence; empty while it runs, or when there was none. */
export function outcomeOf(work: Work): string {
  if (work.kind === "failed") return work.sentence;
  if (work.kind !== "done") return "";
  const names = work.result.members.map(plain);
  const shown = names.length > MOST_NAMED ? [...names.slice(0, MOST_NAMED - 1), `${names.length - 4} others`] : names;
  if (work.repaired) return `Access is repaired for ${listed(["you", ...shown])}.${skippedWords(work.result.skipped)}`;
  const shared = names.length === 0 ? "The project is shared with nobody." : `Shared with ${listed(shown)}.`;
  return `${shared}${skippedWords(work.result.skipped)}`;
}

function skippedWords(count: number): string {
  if (count === 0) return "";
  return count === 1 ? " One file or folder was left alone." : ` ${count.toLocaleString()} ${THINGS} were left alone.`;
}

/** How far it is. */
export function progressWords({ done, total, stopping }: Extract<Work, { kind: "running" }>): string {
  if (stopping) return "Stopping…";
  if (total === null || total <= 0) return done === 0 ? "Changing access…" : `${done.toLocaleString()} ${THINGS} done`;
  return `${done.toLocaleString()} of ${Math.max(total, done).toLocaleString()} ${THINGS} done`;
}

/** What happened to a project that is not shared with this user any more. */
export function revokedWords({ project, by, by_full_name }: Revoked, own: string): { title: string; text: string } {
  const name = plain(project);
  if (by !== "" && by === own) return { title: `You have left “${name}”`, text: "It is not shared with you any more." };
  const who = by === "" ? "" : calledBy({ name: by, full_name: by_full_name });
  const text =
    who === "" ? "You have no access to its files any more." : `${who} has ended your access to the project's files.`;
  return { title: `“${name}” is no longer shared with you`, text };
}
