import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app";
import { runKeys } from "./commands";
import { browserMemory } from "./layout/browser_memory";
import { Workbench } from "./layout/workbench";
import { isPageOld } from "./net/page_age";
import { Rpc } from "./net/rpc";
import { ServerApi, sessionOfAddress } from "./net/server_api";
import { browserTransport } from "./net/stream_transport";
import { watchTyping } from "./presence/following";
import { DialogHost } from "./shell/dialog_host";
import { Header } from "./shell/header";
import { MessageList } from "./shell/message_list";
import { Notices } from "./shell/notices";
import { PRODUCT } from "./shell/product";
import { SessionOverlay } from "./shell/session_overlay";
import { Use } from "./shell/use";
import "./style/page.css";

const SILENCE_CHECK_MS = 5000;
const LOOK_MS = 3000;
const NOTIFICATIONS_MS = 15_000;
const PING_PATIENCE_MS = 5000;

const cookies = (): string => document.cookie;
const request = (url: string, init: RequestInit): Promise<Response> => fetch(url, init);

const rpc: Rpc = new Rpc(request, cookies, () => app.link.recheck());
const api = new ServerApi(sessionOfAddress(location.pathname), request, cookies);
const app: App = new App(rpc, api, browserTransport(rpc, location.href), browserMemory);

const OLD_PAGE = "The server was updated and has a newer version of this page. Reload it: nothing is lost.";
app.onReturn = () => {
  void isPageOld(request, import.meta.url).then((old) => old && app.messages.show("warning", OLD_PAGE));
};

async function ping(): Promise<void> {
  await fetch("ping", { signal: AbortSignal.timeout(PING_PATIENCE_MS), cache: "no-store" });
}

function Page() {
  return (
    <>
      <Header app={app} />
      <Notices app={app} />
      <Workbench app={app} />
      <SessionOverlay app={app} />
      <MessageList messages={app.messages} />
      <DialogHost app={app} />
    </>
  );
}

async function askNotifications(): Promise<void> {
  if (document.hidden) return;
  const all = await api.notifications().catch(() => null);
  if (all !== null) app.notifications.receive(all);
}

new Use(app).listen(window);
watchTyping(app, window);
addEventListener("keydown", (event) => runKeys(app, event));
addEventListener("online", () => app.link.retryNow());
addEventListener("focus", () => app.link.retryNow());
addEventListener("pagehide", () => {
  void app.documents.flushAll(true);
  void app.places.flush(true);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) void app.documents.flushAll(true);
  else void askNotifications();
});
addEventListener("beforeunload", (event) => {
  if (app.documents.hasUnconfirmed) event.preventDefault();
});
setInterval(() => void app.link.checkSilence(ping), SILENCE_CHECK_MS);
setInterval(() => void askNotifications(), NOTIFICATIONS_MS);
setInterval(() => document.hidden || app.look(), LOOK_MS);

effect(() => {
  const place = app.project.open.value?.name ?? app.place.value;
  document.title = place === "" ? PRODUCT : `${place} · ${PRODUCT}`;
});

const root = document.getElementById("page");
if (root !== null) render(<Page />, root);
void app.link.run();
void askNotifications();
