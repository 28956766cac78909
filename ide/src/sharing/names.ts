import type { Account } from "../net/sharing_protocol";

/** Characters that are not seen and can make a name look like another one. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const LONGEST = 80;

/** Text that somebody else chose, fit to stand in a line of the page. */
export function plain(text: string): string {
  const seen = [...text.replace(UNSEEN, "")];
  return seen.length > LONGEST ? `${seen.slice(0, LONGEST - 1).join("")}…` : seen.join("");
}

/** What people call somebody: the full name, else that of the account. */
export function calledBy({ name, full_name }: Account): string {
  return plain(full_name).trim() || plain(name);
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  const last = words[words.length - 1] ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}
