/** Messages between the page and its session, as docs/reference/internal-protocols.md §4 and §5 define them. */

import type { Revoked, SharingEvents, SharingMethods, SharingState } from "./sharing_protocol";

export type ActionType = "input" | "output" | "error" | "note" | "prompt";

export interface ConsoleAction {
  readonly type: ActionType;
  readonly text: string;
}

export interface SessionInfo {
  readonly id: string;
  readonly user: string;
  readonly pid: number;
  readonly r_version: string;
  /** What the administrator calls this R; empty: nothing. */
  readonly r_label: string;
  readonly home: string;
  readonly cwd: string;
  readonly started: number;
}

export interface ConsoleSnapshot {
  readonly actions: readonly ConsoleAction[];
  readonly prompt: string | null;
  readonly history: boolean;
  readonly busy: boolean;
  /** How many of the first actions an earlier process of the session showed. */
  readonly earlier?: number;
}

/** A place in a document: selection in UTF-16 units, and the first line in sight. */
export interface Place {
  readonly anchor: number;
  readonly head: number;
  readonly top: number;
}

/** Where the user is in the editor: documents by id. */
export interface EditorPlaces {
  readonly active: string | null;
  readonly places: Readonly<Record<string, Place>>;
}

/** `q()` asks whether to save to this file. */
export interface QuitQuestion {
  readonly image: string;
}

/** What came back after a crash; times in seconds since 1970. */
export interface Recovered {
  readonly objects: number;
  readonly bytes: number;
  readonly created: number;
  readonly ended: number | null;
  readonly cause: string;
}

export interface Blocker {
  readonly kind: string;
  readonly reason: string;
}

export interface RestartAnswer {
  readonly restarting: boolean;
  readonly blockers: readonly Blocker[];
}

export interface QuitState {
  readonly save: "ask" | "yes" | "no";
  readonly image: string;
  readonly busy: boolean;
}

export interface DocumentData {
  readonly id: string;
  readonly path: string | null;
  readonly name: string;
  readonly type: string;
  readonly contents: string;
  readonly revision: number;
  readonly dirty: boolean;
  readonly encoding: string;
  readonly line_ending: "\n" | "\r\n";
  readonly created: number;
  readonly order: number;
}

/** A document that several edit together; `server` names the session that keeps the text. */
export interface SharedDocument {
  readonly id: string;
  readonly server: string;
  /** The shared text of which the session has a version; empty: of none. */
  readonly epoch: string;
}

export interface PlotsState {
  readonly active: string | null;
  readonly plots: readonly { readonly id: string; readonly revision: number }[];
  readonly error: string | null;
}

export type ObjectKind = "data" | "value" | "function" | "promise" | "active";

export interface EnvironmentObject {
  readonly name: string;
  readonly kind: ObjectKind;
  readonly class: readonly string[];
  readonly type: string;
  readonly length: number;
  readonly size: number | null;
  readonly summary: string;
}

export interface EnvironmentState {
  readonly name: string;
  readonly objects: readonly EnvironmentObject[];
  readonly total: number;
  readonly truncated: boolean;
}

/** How the editor of a project's session behaves. */
export interface ProjectEditor {
  readonly spaces_for_tab: boolean;
  readonly tab_width: number;
  readonly append_newline: boolean;
  readonly strip_trailing_whitespace: boolean;
}

export interface OpenProject {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  readonly file: string;
  readonly editor: ProjectEditor;
  readonly problems: readonly string[];
}

export interface ProjectState {
  readonly open: OpenProject | null;
  readonly new_folder: string;
}

export interface RecentProject {
  readonly folder: string;
  readonly file: string;
  readonly name: string;
  readonly gone: boolean;
}

/** Another session in the project. Paths are from the project's folder; `line` counts from 1, 0: not known. */
export interface Person {
  readonly session: string;
  readonly user: string;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly open: readonly string[];
}

export interface PresentPeople {
  readonly people: readonly Person[];
}

/** The project file as it is written, and sentences about what is wrong in it. */
export interface ProjectOptions {
  readonly fields: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

export interface ProjectCheck {
  readonly folder: string;
  readonly state: "project" | "no_project" | "gone" | "no_folder" | "unreadable";
  readonly message: string;
}

/** A message for the user; `url` is a page it is about. */
export interface Said {
  readonly kind: "info" | "warning" | "error";
  readonly text: string;
  readonly url?: string;
}

/** Of the memory that the session may have, in bytes; `warning` while it runs short. */
export interface MemoryUse {
  readonly used: number;
  readonly limit: number;
  readonly warning: string | null;
}

export interface ClientInit {
  readonly clientId: string;
  readonly stream: string;
  readonly eventId: number;
  readonly session: SessionInfo;
  readonly console: ConsoleSnapshot;
  readonly history: readonly string[];
  readonly documents: readonly DocumentData[];
  readonly plots: PlotsState;
  /** Missing where nothing limits the session; figures in bytes. */
  readonly memory?: MemoryUse | null;
  readonly project?: ProjectState;
  readonly presence?: PresentPeople;
  readonly sharing?: SharingState;
  readonly sharing_revoked?: Revoked | null;
  readonly messages: readonly Said[];
  readonly quit_question?: QuitQuestion | null;
  readonly recovered?: Recovered | null;
  readonly timeouts?: Timeouts;
  readonly workspace?: WorkspaceState;
  readonly view?: EditorPlaces | null;
  readonly collab?: readonly SharedDocument[];
}

export interface Completion {
  readonly text: string;
  readonly kind: string;
  readonly detail?: string | null;
}

export interface Completions {
  readonly start: number;
  readonly token: string;
  readonly items: readonly Completion[];
}

export interface FileEntry {
  readonly name: string;
  readonly kind: "file" | "dir" | "other";
  readonly size: number | null;
  readonly modified: number | null;
}

export interface FileListing {
  readonly path: string;
  readonly parent: string | null;
  readonly entries: readonly FileEntry[];
  readonly truncated: boolean;
}

export type EnvironmentChange =
  | { readonly reset: true }
  | {
      readonly reset?: false;
      readonly changed: readonly EnvironmentObject[];
      readonly removed: readonly string[];
      readonly total: number;
    };

/** How the session stands to its time-outs. */
export interface Timeouts {
  readonly phase: "active" | "warned" | "blocked" | "suspending";
  readonly action: "suspend" | "quit" | "kill" | null;
  readonly seconds: number | null;
  readonly text: string;
  readonly blockers: readonly Blocker[];
}

export interface WorkspaceState {
  readonly loading: boolean;
  readonly left: number;
  readonly done: number;
  readonly total: number;
}

export interface WorkspaceProgress {
  readonly action: "suspend" | "checkpoint" | "resume";
  readonly done: number;
  readonly total: number;
  readonly left?: number;
  readonly loading?: boolean;
}

/** A message of the administrator to everybody. */
export interface Notification {
  readonly id: string;
  readonly message: string;
  readonly ends: number;
}

interface EventData extends SharingEvents {
  console_write_input: { readonly text: string; readonly console_id: string };
  console_write_output: { readonly text: string };
  console_write_error: { readonly text: string };
  console_write_note: { readonly text: string };
  console_prompt: { readonly prompt: string; readonly history: boolean; readonly cwd?: string };
  busy: { readonly value: boolean };
  environment_changed: EnvironmentChange;
  plots_changed: PlotsState;
  document_changed: { readonly id: string; readonly revision: number; readonly clientId: string };
  document_closed: { readonly id: string };
  collab_edit_started: SharedDocument;
  collab_edit_ended: { readonly id: string };
  document_opened: { readonly document: DocumentData };
  show_message: Said;
  memory_warning: { readonly used: number; readonly limit: number; readonly text: string | null };
  project_changed: ProjectState;
  presence_changed: PresentPeople;
  session_timeouts: Timeouts;
  workspace_progress: WorkspaceProgress;
  quit: { readonly status: number };
  quit_question: QuitQuestion;
  quit_question_closed: Record<string, never>;
  workspace_recovered: Recovered;
  recovery_decided: Record<string, never>;
  events_dropped: { readonly from: number; readonly to: number; readonly bytes: number };
}

/** One numbered event; narrowing by `type` gives the type of `data`. */
export type SessionEvent = {
  [T in keyof EventData]: { readonly id: number; readonly type: T; readonly data: EventData[T] };
}[keyof EventData];

/** Parameters and result of every method the page calls. */
export interface Methods extends SharingMethods {
  client_init: { params: []; result: ClientInit };
  console_input: { params: [text: string, consoleId: string, flags?: number]; result: null };
  interrupt: { params: []; result: null };
  get_quit_state: { params: []; result: QuitState };
  quit_session: { params: [save: "yes" | "no"]; result: { readonly ended: boolean; readonly reason?: string } };
  answer_quit_question: { params: [answer: "yes" | "no" | "cancel"]; result: null };
  restart_session: { params: [keepWorkspace: boolean, command: string, force: boolean]; result: RestartAnswer };
  suspend_session: {
    params: [force: boolean];
    result: { readonly suspended: boolean; readonly blockers: readonly Blocker[] };
  };
  save_view: { params: [view: EditorPlaces]; result: null };
  keep_restored: { params: []; result: null };
  take_back_objects: { params: [force: boolean]; result: RestartAnswer };
  discard_restored: { params: [force: boolean]; result: RestartAnswer };
  get_events: { params: [after: number]; result: readonly SessionEvent[] };
  get_history: { params: [limit: number]; result: readonly string[] };
  get_completions: { params: [line: string, cursor: number]; result: Completions };
  get_environment_state: { params: []; result: EnvironmentState };
  set_plot_size: { params: [width: number, height: number, dpr: number]; result: PlotsState };
  get_plots: { params: []; result: PlotsState };
  select_plot: { params: [id: string]; result: PlotsState };
  remove_plot: { params: [id: string]; result: PlotsState };
  clear_plots: { params: []; result: PlotsState };
  new_document: { params: [type: string, contents: string]; result: DocumentData };
  open_document: { params: [path: string]; result: DocumentData };
  list_documents: { params: []; result: readonly Omit<DocumentData, "contents">[] };
  get_document: { params: [id: string]; result: DocumentData };
  update_document: {
    params: [id: string, baseRevision: number, from: number, to: number, insert: string];
    result: { readonly revision: number };
  };
  set_document: { params: [id: string, contents: string]; result: { readonly revision: number } };
  save_document: { params: [id: string, path: string | null, overwrite: boolean]; result: DocumentData };
  refresh_document: { params: [id: string]; result: DocumentData };
  collab_joined: { params: [id: string, epoch: string]; result: null };
  collab_host_lost: { params: [id: string, server: string]; result: null };
  close_document: { params: [id: string]; result: null };
  list_recent_projects: { params: []; result: readonly RecentProject[] };
  forget_recent_project: { params: [path: string]; result: null };
  read_project_options: { params: []; result: ProjectOptions };
  write_project_options: { params: [fields: Readonly<Record<string, string | null>>]; result: ProjectOptions };
  check_project: { params: [path: string]; result: ProjectCheck };
  list_files: { params: [path: string]; result: FileListing };
  keep_running: { params: []; result: null };
  cancel_suspend: { params: []; result: null };
  stop_loading: { params: []; result: null };
  get_presence: { params: []; result: PresentPeople };
  get_memory_use: { params: []; result: MemoryUse | null };
}

export type MethodName = keyof Methods;

export type SessionStateName = "absent" | "launching" | "running" | "suspending" | "suspended" | "resuming" | "failed";

/** What the server, not the session, says about a session (`GET /api/sessions/{id}`). */
export interface SessionRecord {
  readonly id: string;
  readonly state: SessionStateName;
  readonly label?: string | null;
  readonly project?: string;
  readonly cause?: string | null;
  readonly code?: number | null;
  readonly signal?: number | string | null;
  readonly stderr_tail?: string | null;
  /** How many processes in a row failed soon after their start. */
  readonly quick_failures?: number;
  /** When its objects were last written, in seconds since 1970; 0: nothing is stored; null: not known. */
  readonly stored?: number | null;
}

/** The stable error codes the page treats specially. */
export const ErrorCode = {
  unreachable: 1,
  unavailable: 2,
  notSignedIn: 3,
  unknownClient: 4,
  internal: 11,
  offline: 13,
  noSuchSession: 14,
  sessionEnded: 21,
  rError: 100,
  connectionLost: 200,
  staleRevision: 1001,
  changedOnDisk: 1002,
  cannotWrite: 1003,
} as const;
