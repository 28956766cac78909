import type { NewSession } from "../net/server_api";

/** What the dialog is opened for; it decides what is asked and what is filled in. */
export type Purpose = "new-session" | "open-project" | "new-project";

/** What happens to the session of this page when another one is opened in its place. */
export type Leaving = "suspend" | "save" | "quit" | "stay";

/** The choice in the list of projects that stands for a folder which is not on it. */
export const OTHER = "other";

export interface SessionForm {
  /** Empty: none; OTHER; or the folder of a recent project. */
  readonly project: string;
  /** The folder typed or browsed to; counts with OTHER. */
  readonly path: string;
  readonly create: boolean;
  readonly label: string;
  /** Empty: the server's rules decide. */
  readonly rVersion: string;
  readonly profile: boolean;
  readonly restore: boolean;
  readonly leaving: Leaving;
}

export function emptyForm(purpose: Purpose, newFolder: string, recent: string | undefined): SessionForm {
  const base = { path: "", create: false, label: "", rVersion: "", profile: true, restore: true } as const;
  const leaving: Leaving = "suspend";
  if (purpose === "new-session") return { ...base, project: "", leaving };
  if (purpose === "open-project") return { ...base, project: recent ?? OTHER, leaving };
  return {
    ...base,
    project: OTHER,
    path: newFolder.endsWith("/") ? newFolder : `${newFolder}/`,
    create: true,
    leaving,
  };
}

/** The folder that was chosen; empty without a project. */
export function folderOf(form: SessionForm): string {
  return form.project === OTHER ? form.path.trim() : form.project;
}

/** Why the form cannot be sent; empty when it can. */
export function problemOf(form: SessionForm): string {
  if (form.project !== OTHER) return "";
  const path = form.path.trim();
  if (path === "") return "Give the folder of the project.";
  return path.startsWith("/") || path.startsWith("~/") ? "" : "The folder must begin with / or ~/.";
}

/** The body of `POST /api/sessions`; `here` is the session of this page when the new one takes its place. */
export function wantedSession(form: SessionForm, purpose: Purpose, here: string | null): NewSession {
  return {
    project: folderOf(form),
    create_project: form.create && form.project === OTHER,
    // A project that has a session is gone on with, unless another one was asked for.
    reuse: purpose !== "new-session",
    label: form.label.trim() || null,
    r_version: form.rVersion || null,
    run_rprofile: form.profile,
    restore: form.restore,
    leave: here === null ? null : leaveOf(here, form.leaving),
  };
}

function leaveOf(session: string, leaving: Leaving): NewSession["leave"] {
  if (leaving === "stay") return null;
  return { session, quit: leaving !== "suspend", save: leaving === "save" ? "yes" : "no" };
}
