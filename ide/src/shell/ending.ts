import type { SessionRecord } from "../net/protocol";
import { localTimes } from "./local_times";

/** What to tell about a session that is not running. */
export interface Ending {
  readonly title: string;
  readonly cause: string;
  /** Exit code or signal in words; empty when it ended by itself in good order. */
  readonly detail: string;
  readonly failed: boolean;
  /** What the button says that brings R back. */
  readonly wayBack: string;
  /** The project could not be opened; R was not started. */
  readonly project: "no-file" | "other" | null;
  /** It failed again and again: the way that is proposed instead, and why. */
  readonly advice: Advice | null;
}

/** Ways to start R: as it was, or without what may be the reason why it fails. */
export type Start = "as-it-was" | "no-restore" | "no-profile" | "empty";

export interface Advice {
  readonly start: Start;
  readonly words: string;
}

const ENOUGH_FAILURES = 2;

const SUSPENDED: Ending = {
  title: "The session is suspended",
  cause: "Its objects are kept.",
  detail: "",
  failed: false,
  wayBack: "Resume the session",
  project: null,
  advice: null,
};

/** Exit codes of a session whose project cannot be opened. */
const NOT_A_FOLDER = 201;
const NO_PROJECT_FILE = 202;
const NOT_MADE = 205;

const SIGNALS: Readonly<Record<number, string>> = {
  4: "SIGILL: illegal instruction",
  6: "SIGABRT: aborted",
  7: "SIGBUS: bus error",
  8: "SIGFPE: arithmetic fault",
  9: "SIGKILL: killed from outside, often because memory ran out",
  11: "SIGSEGV: segmentation fault",
  15: "SIGTERM: asked to end",
};

/** Words for the end of a session, from what the server recorded. */
export function endingOf(session: SessionRecord): Ending {
  if (session.state === "suspended") return { ...SUSPENDED, cause: localTimes(session.cause || SUSPENDED.cause) };
  const failed = session.state === "failed";
  if (failed && isAboutProject(session)) return endingOfProject(session);
  return {
    title: failed ? "R stopped unexpectedly" : "The R session has ended",
    cause:
      localTimes(session.cause ?? "") || (failed ? "The R process ended without saying why." : "R ended by itself."),
    // A cause that the server tells is all that is known, and more exact than code or signal.
    detail: session.cause ? "" : detailOf(session),
    failed,
    wayBack: failed ? "Start R again" : "Start a new R session",
    project: null,
    advice: failed ? adviceFor(session) : null,
  };
}

/** R code may end with the same codes; then the server says nothing of the project. */
function isAboutProject({ code, project, cause }: SessionRecord): boolean {
  const known = typeof code === "number" && code >= NOT_A_FOLDER && code <= NOT_MADE;
  return known && !!project && !!cause?.includes(project);
}

function endingOfProject(session: SessionRecord): Ending {
  return {
    title: "The project cannot be opened",
    cause: session.cause ?? "",
    detail: "",
    failed: true,
    wayBack: "Try again",
    project: session.code === NO_PROJECT_FILE ? "no-file" : "other",
    advice: null,
  };
}

function adviceFor({ quick_failures, stored }: SessionRecord): Advice | null {
  if ((quick_failures ?? 0) < ENOUGH_FAILURES) return null;
  const times = `R failed ${quick_failures} times in a row soon after its start.`;
  if (stored === 0) return { start: "empty", words: `${times} .Rprofile or .RData may be the reason: start it empty.` };
  const aside = "The objects are set aside then, not deleted.";
  const words = `${times} What is restored may be the reason: start without restoring first. ${aside}`;
  return { start: "no-restore", words };
}

function detailOf({ signal, code }: SessionRecord): string {
  if (typeof signal === "number") return `Signal ${signal}${SIGNALS[signal] ? ` (${SIGNALS[signal]})` : ""}`;
  if (typeof signal === "string" && signal !== "") return `Signal ${signal}`;
  return typeof code === "number" && code !== 0 ? `Exit code ${code}` : "";
}
