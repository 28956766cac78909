/** Messages about sharing, as docs/reference/internal-protocols.md §8 defines them. */

export interface Account {
  readonly name: string;
  /** Empty: not known. */
  readonly full_name: string;
}

export interface Member extends Account {
  /** Has the project open now. */
  readonly here: boolean;
}

/** How far a change of the members is, in files and folders. */
export interface SharingProgress {
  readonly operation: number;
  readonly done: number;
  readonly total: number | null;
}

/** Who is in the open project; sentences are for the user as they are. */
export interface SharingState {
  readonly supported: boolean;
  /** Why it is not. */
  readonly reason: string;
  readonly owner: Account | null;
  readonly mine: boolean;
  readonly members: readonly Member[];
  readonly lists_people: boolean;
  readonly progress: SharingProgress | null;
  /** A change that was broken off, and to whom it was to lead. */
  readonly unfinished: { readonly members: readonly string[]; readonly sentence: string } | null;
}

export interface FoundPeople {
  readonly people: readonly Account[];
  readonly reason: string;
}

/** A project of somebody else; `shared_at` in seconds since 1970. */
export interface SharedProject {
  readonly id: string;
  readonly name: string;
  readonly project_dir: string;
  readonly owner: string;
  readonly owner_full_name: string;
  readonly shared_at: number;
}

export interface SharedProjects {
  readonly projects: readonly SharedProject[];
}

/** The session's user is no member any more; the session goes on without the project. */
export interface Revoked {
  readonly project: string;
  readonly project_dir: string;
  readonly by: string;
  readonly by_full_name: string;
  readonly unsaved: readonly { readonly id: string; readonly name: string }[];
  /** Where copies could go. */
  readonly folder: string;
}

export interface SavedCopies {
  readonly folder: string;
  readonly saved: readonly { readonly id: string; readonly path: string }[];
  readonly failed: readonly { readonly id: string; readonly name: string; readonly reason: string }[];
}

export interface SharingDone {
  readonly operation: number;
  readonly members: readonly string[];
  readonly skipped: number;
  readonly skipped_paths: readonly { readonly path: string; readonly reason: string }[];
}

export interface SharingFailed {
  readonly operation: number;
  readonly sentence: string;
  readonly cancelled: boolean;
}

/** Data of the events. */
export interface SharingEvents {
  sharing_changed: SharingState;
  sharing_progress: SharingProgress;
  sharing_done: SharingDone;
  sharing_failed: SharingFailed;
  sharing_revoked: Revoked;
  shared_with_me_changed: SharedProjects;
}

/** Parameters and results of the methods. */
export interface SharingMethods {
  sharing_state: { params: []; result: SharingState };
  sharing_find_people: { params: [query: string, limit: number]; result: FoundPeople };
  sharing_set_members: { params: [members: readonly string[]]; result: { readonly operation: number } };
  sharing_leave: { params: []; result: { readonly operation: number } };
  sharing_cancel: { params: []; result: null };
  shared_with_me: { params: []; result: SharedProjects };
  sharing_save_copies: { params: [folder: string]; result: SavedCopies };
  sharing_revoked_seen: { params: []; result: null };
}
