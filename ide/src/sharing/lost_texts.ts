import { fileName, type OpenDocument } from "../editor/open_document";
import type { Revoked } from "../net/sharing_protocol";

/** A text that is in no file that its user can still write. */
export interface LostText {
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

/** What the session named, and what was typed here before it could know; saved ones are no longer among them. */
export function lostTexts({ unsaved, project_dir }: Revoked, documents: readonly OpenDocument[]): readonly LostText[] {
  const named = new Set(unsaved.map(({ id }) => id));
  return documents
    .filter((document) => document.dirty.value && (named.has(document.id) || isBelow(document, project_dir)))
    .map((document) => ({ id: document.id, name: fileName(document), text: document.text.toString() }));
}

function isBelow(document: OpenDocument, folder: string): boolean {
  return document.meta.value.path?.startsWith(`${folder}/`) ?? false;
}
