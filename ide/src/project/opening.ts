import type { App } from "../app";
import { messageOf, RpcError } from "../net/rpc";
import type { NewSession } from "../net/server_api";
import { type Leaving, wantedSession } from "./session_form";

const STILL_RUNS = 22;

/** Where browsers show pages; given, so that tests need no window. */
export interface Tabs {
  /** Opens an empty tab at once, as only a click may; null when the browser does not allow it. */
  open(): { go(url: string): void; close(): void } | null;
  leaveTo(url: string): void;
}

export const browserTabs: Tabs = {
  open() {
    const tab = window.open("", "_blank");
    if (tab === null) return null;
    tab.opener = null;
    return { go: (url) => tab.location.replace(url), close: () => tab.close() };
  },
  leaveTo(url) {
    location.assign(url);
  },
};

/** Opens the session in a tab of its own; fails with RpcError, and leaves no empty tab then. */
export async function openInNewTab(app: App, wanted: NewSession, tabs: Tabs = browserTabs): Promise<void> {
  const tab = tabs.open();
  try {
    const url = await app.api.create(wanted);
    if (tab === null) app.messages.show("warning", "The browser did not open a tab. The session is on your list.");
    tab?.go(url);
  } catch (error) {
    tab?.close();
    throw error;
  }
}

/** Opens the session in this tab; unsent text goes to the session of this page first. Fails with RpcError. */
export async function openInThisTab(app: App, wanted: NewSession, tabs: Tabs = browserTabs): Promise<void> {
  await app.documents.flushAll();
  await app.link.leave(async () => tabs.leaveTo(await app.api.create(wanted)));
}

/** Switches this tab to a project (empty: none). The session of this page is suspended; when it cannot be, its user decides. */
export async function openHere(app: App, folder: string, tabs: Tabs = browserTabs): Promise<void> {
  let leaving: Leaving | null = "suspend";
  while (leaving !== null) {
    try {
      return await openInThisTab(app, switchTo(app, folder, leaving), tabs);
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== STILL_RUNS || leaving === "quit" || leaving === "save") {
        app.report(error);
        return;
      }
      leaving = await askAboutSession(app, messageOf(error));
    }
  }
}

/** Opens a project in a tab of its own; the session of this page is left alone. */
export async function openElsewhere(app: App, folder: string, tabs: Tabs = browserTabs): Promise<void> {
  await openInNewTab(app, switchTo(app, folder, "stay"), tabs).catch((error: unknown) => app.report(error));
}

function switchTo(app: App, folder: string, leaving: Leaving): NewSession {
  const form = { project: folder, path: "", create: false, label: "", rVersion: "", profile: true, restore: true };
  return wantedSession({ ...form, leaving }, "open-project", app.api.session);
}

async function askAboutSession(app: App, why: string): Promise<Leaving | null> {
  const several = await app.api.allowsSeveral().catch(() => false);
  return app.dialogs.ask<Leaving>("This session cannot be suspended", why, [
    ...(several ? [{ label: "Let it run on", value: "stay", look: "primary" } as const] : []),
    { label: "Save and quit it", value: "save" },
    { label: "Quit it without saving", value: "quit", look: "danger" },
  ]);
}
