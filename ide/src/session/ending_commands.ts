import type { App } from "../app";
import type { Blocker, QuitQuestion, RestartAnswer } from "../net/protocol";
import { isConnectionError } from "../net/rpc";
import type { Choice } from "../shell/dialogs";

type Save = "yes" | "no";

const SAVE_TITLE = "Save the objects?";
const SAVE_CHOICES: readonly Choice<Save>[] = [
  { label: "Don't save", value: "no" },
  { label: "Save", value: "yes", look: "primary" },
];

/** Quits R as the user has set it: asks where that is wanted, before anything is interrupted. */
export async function quitSession(app: App): Promise<void> {
  await app.documents.flushAll();
  const state = await app.rpc.call("get_quit_state", []);
  const save = state.save === "ask" ? await askSave(app, state.image, state.busy) : await confirmBusy(app, state);
  if (save === null) return;
  await untilGone(async () => {
    const { ended, reason } = await app.rpc.call("quit_session", [save]);
    if (!ended) app.messages.show("warning", reason ?? "R was asked to end and goes on.");
  });
}

/** Answers the question that `q()` asks at the console; whoever answers first, here or there, is heard. */
export async function answerQuestion(app: App, { image }: QuitQuestion): Promise<void> {
  const answer = (await askSave(app, image, false)) ?? "cancel";
  await untilGone(async () => void (await app.rpc.call("answer_quit_question", [answer])));
}

/** The question was answered elsewhere. */
export function withdrawQuestion(app: App): void {
  app.dialogs.withdraw(SAVE_TITLE);
}

/** Restarts R; with its objects unless they are to be left behind. */
export async function restartR(app: App, keep = true): Promise<void> {
  if (!keep && !(await sure(app))) return;
  await restart(app, (force) => app.rpc.call("restart_session", [keep, "", force]));
}

/** After a crash: everything is moved aside and R starts empty. */
export async function startEmpty(app: App): Promise<void> {
  await restart(app, (force) => app.rpc.call("discard_restored", [force]));
}

/** Has the objects back that were set aside last, by a start without them. */
export async function takeBack(app: App): Promise<void> {
  const text = "R is restarted. The objects of now are set aside instead; the same command brings them back.";
  const choices = [{ label: "Take back", value: true, look: "primary" }] as const;
  if ((await app.dialogs.ask<boolean>("Take back the objects that were set aside?", text, choices)) !== true) return;
  await restart(app, (force) => app.rpc.call("take_back_objects", [force]));
}

async function restart(app: App, call: (force: boolean) => Promise<RestartAnswer>): Promise<void> {
  await app.documents.flushAll();
  await untilGone(async () => {
    const answer = await call(false);
    if (answer.restarting) return;
    if (await anyway(app, answer.blockers)) await call(true);
  });
}

/** R may be gone before its answer is here. */
async function untilGone(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!isConnectionError(error)) throw error;
  }
}

function askSave(app: App, image: string, busy: boolean): Promise<Save | null> {
  const stops = busy ? "R is working; quitting stops that. " : "";
  const text = `${stops}R can save them to ${image} and reads them there when it is started again in that folder.`;
  return app.dialogs.ask<Save>(SAVE_TITLE, text, SAVE_CHOICES);
}

async function confirmBusy(app: App, { save, busy }: { save: "ask" | Save; busy: boolean }): Promise<Save | null> {
  const wanted: Save = save === "yes" ? "yes" : "no";
  if (!busy) return wanted;
  const choices = [{ label: "Quit R", value: wanted, look: "danger" }] as const;
  return app.dialogs.ask<Save>("Quit R?", "R is working; quitting stops that.", choices);
}

async function sure(app: App): Promise<boolean> {
  const text = "Its objects are left behind. Console, history and documents stay; .RData is not read.";
  const choices = [{ label: "Restart without objects", value: true, look: "danger" }] as const;
  return (await app.dialogs.ask<boolean>("Restart R without its objects?", text, choices)) === true;
}

async function anyway(app: App, blockers: readonly Blocker[]): Promise<boolean> {
  const text = blockers.map((blocker) => blocker.reason).join(" ");
  const choices = [{ label: "Restart anyway", value: true, look: "danger" }] as const;
  return (await app.dialogs.ask<boolean>("Restart R anyway?", text, choices)) === true;
}
