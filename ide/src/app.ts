import { computed, effect, signal, untracked } from "@preact/signals";
import { ConsoleStore } from "./console/console_store";
import { MAX_ENTRIES } from "./console/history_model";
import { type Origin, Outbox } from "./console/outbox";
import { DocumentStore } from "./editor/document_store";
import { PAUSE_IN_COMPANY_MS, PAUSE_MS, Places } from "./editor/places";
import { EnvironmentStore } from "./environment/environment_store";
import { MemoryStore } from "./environment/memory_store";
import type { BrowserMemory } from "./layout/browser_memory";
import type { StreamTransport } from "./net/events";
import {
  type ClientInit,
  ErrorCode,
  type MethodName,
  type Methods,
  type QuitQuestion,
  type Recovered,
  type SessionEvent,
  type SessionInfo,
} from "./net/protocol";
import { messageOf, type Rpc, RpcError } from "./net/rpc";
import type { ServerApi } from "./net/server_api";
import { type LinkOwner, SessionLink } from "./net/session_link";
import { PlotsStore } from "./plots/plots_store";
import { goTo } from "./presence/following";
import { PresenceStore } from "./presence/presence_store";
import { ProjectStore } from "./project/project_store";
import { answerQuestion, withdrawQuestion } from "./session/ending_commands";
import { SharingStore, type Work } from "./sharing/sharing_store";
import { outcomeOf } from "./sharing/sharing_words";
import { Dialogs } from "./shell/dialogs";
import { shortPath } from "./shell/file_paths";
import { LifeStore } from "./shell/life_store";
import { Messages } from "./shell/messages";
import { Notifications } from "./shell/notifications";

const ACTIVE = "document";
const LOST_BY_SUSPENSION = "The session was suspended before R took this. Enter runs it.";
const LOST_BY_END = "R ended before it took this. Look at the console before you press Enter.";
const LOST_BY_RESTART = "R was started again before it took this. Enter runs it.";

/** The state of the whole page, without any of its elements: one store per pane and the link that feeds them. */
export class App implements LinkOwner {
  readonly messages = new Messages();
  readonly dialogs = new Dialogs();
  readonly life = new LifeStore();
  readonly notifications: Notifications;
  /** The user wants to choose how a suspended session is started. */
  readonly choosesStart = signal(false);
  /** The user looks at the page before a session that ended is started again. */
  readonly overlayAside = signal(false);
  readonly console = new ConsoleStore();
  readonly outbox: Outbox;
  readonly documents: DocumentStore;
  readonly places: Places;
  readonly environment: EnvironmentStore;
  readonly plots: PlotsStore;
  readonly project: ProjectStore;
  readonly presence: PresenceStore;
  readonly sharing: SharingStore;
  readonly session = signal<SessionInfo | null>(null);
  readonly workingDirectory = signal("");
  readonly memory: MemoryStore;
  /** The working directory as people write it. */
  readonly place = computed(() => shortPath(this.workingDirectory.value, this.session.value?.home ?? ""));
  /** What came back after a crash, until somebody decides. */
  readonly recovered = signal<Recovered | null>(null);
  readonly link: SessionLink;
  /** The process that comes next goes on with what a suspended one has written. */
  private isResumed = false;
  /** Called when the session answers again after it was away. */
  onReturn: () => void = () => undefined;
  /** Stopping is possible while R works, or is in the middle of a statement. */
  readonly interruptible = computed(() => this.console.busy.value && this.link.link.value.kind === "live");

  /** The session answers and is not about to be suspended. */
  private readonly isAwake = computed(
    () => this.link.link.value.kind === "live" && this.life.life.value.kind !== "suspending",
  );

  constructor(
    readonly rpc: Rpc,
    readonly api: ServerApi,
    transport: StreamTransport,
    private readonly browser: BrowserMemory,
  ) {
    const failed = (error: unknown): void => this.report(error);
    this.documents = new DocumentStore(rpc, failed);
    // Whoever follows this user is a second behind otherwise.
    const pause = (): number => (this.presence.people.peek().length > 0 ? PAUSE_IN_COMPANY_MS : PAUSE_MS);
    this.places = new Places(rpc, this.documents, () => this.isAwake.peek(), pause);
    this.memory = new MemoryStore(rpc);
    this.environment = new EnvironmentStore(rpc, failed);
    this.plots = new PlotsStore(rpc, failed, () => this.isAwake.peek());
    this.project = new ProjectStore(rpc, failed);
    const say = (text: string): void => this.messages.show("info", text);
    this.presence = new PresenceStore(rpc, (spot) => goTo(this, spot), failed, say);
    this.sharing = new SharingStore(rpc, (work) => this.shared(work));
    this.notifications = new Notifications(browser);
    this.link = new SessionLink(rpc, api, transport, this);
    this.outbox = new Outbox({
      ready: () => this.link.whenStarted(),
      register: (text) => this.console.submit(text),
      deliver: ({ id, text, signal }) => rpc.call("console_input", [text, id], { signal }),
    });
    effect(() => {
      if (!this.isAwake.value) return;
      untracked(() => {
        this.plots.tellPendingSize();
        this.places.wake();
      });
    });
    effect(() => {
      const document = this.documents.active.value;
      if (document === null) return;
      browser.set(ACTIVE, document.id);
      this.places.changed();
    });
  }

  async joined(init: ClientInit, anew: boolean): Promise<void> {
    if (anew) this.outbox.lose(LOST_BY_RESTART, false);
    for (const { kind, text, url } of init.messages) this.messages.show(kind, text, url);
    this.session.value = init.session;
    this.workingDirectory.value = init.session.cwd;
    this.memory.restore(init.memory);
    this.project.receive(init.project);
    this.presence.receive(init.presence);
    this.sharing.restore(init);
    for (const problem of this.project.open.value?.problems ?? []) this.messages.show("warning", problem);
    this.choosesStart.value = this.overlayAside.value = false;
    this.life.restore(init);
    const isOther = anew && !this.isResumed;
    if (anew) this.onReturn();
    // Most sessions say so themselves.
    const isNoted = init.console.actions.slice(init.console.earlier ?? 0).some((action) => action.type === "note");
    if (isOther && !isNoted) this.console.note("R was started again");
    // A resumed session shows again what it had shown before.
    this.console.restore(init.console, init.history, isOther);
    this.isResumed = false;
    this.recovered.value = init.recovered ?? null;
    if (init.quit_question) this.asked(init.quit_question);
    this.plots.receive(init.plots);
    this.plots.tellSizeAgain();
    void this.environment.reload();
    this.places.receive(init.view);
    const active = init.view?.active ?? this.browser.get(ACTIVE);
    const first = this.documents.documents.value.length === 0;
    await this.documents.adopt(init.documents).catch((error: unknown) => this.report(error));
    this.documents.sharedNow(init.collab ?? []);
    if (first) this.documents.activateById(active);
  }

  events(batch: readonly SessionEvent[]): void {
    this.guarded(() => this.console.receive(batch));
    for (const event of batch) this.guarded(() => this.dispatch(event));
  }

  gap(from: number, to: number): void {
    this.console.note(`${to - from + 1} events were lost`);
    this.reloadPanes();
  }

  resumed(): void {
    this.onReturn();
    void this.documents.flushAll();
  }

  gone(): void {
    withdrawQuestion(this);
    const { value } = this.link.link;
    this.isResumed = value.kind === "ended" && value.session.state === "suspended";
    this.memory.gone();
    this.presence.gone();
    this.sharing.gone();
    this.overlayAside.value = false;
    this.outbox.lose(this.isResumed ? LOST_BY_SUSPENSION : LOST_BY_END, true);
    this.life.gone();
    this.console.halt();
  }

  /** Brings a suspended session back as it was. */
  resume(): void {
    void this.link.restart({ run_rprofile: true, restore: true });
  }

  /** Shows the ways in which the session can be started. */
  chooseStart(): void {
    this.choosesStart.value = true;
  }

  /** Looks at what changes without an event. */
  look(): void {
    if (this.isAwake.peek()) void this.memory.look(this.console.busy.peek());
  }

  /** Calls a method whose answer nobody waits for; says what went wrong. */
  ask<M extends MethodName>(method: M, params: Methods[M]["params"]): void {
    this.rpc.call(method, params).catch((error: unknown) => this.report(error));
  }

  /** Gives lines to R, which may be on its way back; false: it did not get them. */
  run(text: string, origin: Origin = "editor"): Promise<boolean> {
    return this.outbox.send(text, origin, this.console.prompt.value?.history === false);
  }

  /** All that is kept of earlier input, of other sessions too; the page began with the newest of it. */
  async recallHistory(): Promise<void> {
    const kept = await this.rpc.call("get_history", [MAX_ENTRIES]).catch(() => []);
    this.console.recall(kept);
  }

  async interrupt(): Promise<void> {
    this.outbox.forget();
    await this.rpc.call("interrupt", []).catch((error: unknown) => this.report(error));
  }

  report(error: unknown): void {
    if (error instanceof RpcError && error.code === ErrorCode.notSignedIn) return;
    this.messages.show("error", messageOf(error));
  }

  /** The session may be older or newer than the page: one event it does not understand must not cost the others. */
  private guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.report(error);
    }
  }

  private dispatch(event: SessionEvent): void {
    if (event.type === "environment_changed") this.environment.receive(event.data);
    else if (event.type === "plots_changed") this.plots.receive(event.data);
    else if (event.type === "project_changed") this.project.receive(event.data);
    else if (event.type === "presence_changed") this.presence.receive(event.data);
    else if (event.type === "show_message") this.messages.show(event.data.kind, event.data.text, event.data.url);
    else if (event.type === "memory_warning" || event.type === "busy") this.memory.receive(event);
    else if (event.type === "quit") this.console.halt();
    else if (event.type === "console_write_input") this.outbox.taken(event.data.console_id);
    else if (event.type === "quit_question") this.asked(event.data);
    else if (event.type === "quit_question_closed") withdrawQuestion(this);
    else if (event.type === "workspace_recovered") this.recovered.value = event.data;
    else if (event.type === "recovery_decided") this.recovered.value = null;
    else if (event.type === "session_timeouts" || event.type === "workspace_progress") this.life.receive(event);
    else if (event.type === "events_dropped") this.dropped(event.data.bytes);
    else if (event.type === "console_prompt" && event.data.cwd) this.workingDirectory.value = event.data.cwd;
    else if (!this.sharing.receive(event)) this.documents.receive(event);
  }

  /** The dialog tells it itself while it is open; who has left is told so in another way. */
  private shared(work: Work): void {
    const isTold = this.dialogs.open.peek()?.type === "share";
    if (isTold || (work.kind === "done" && this.sharing.state.peek()?.mine !== true)) return;
    this.messages.show(work.kind === "failed" ? "warning" : "info", outcomeOf(work));
  }

  private asked(question: QuitQuestion): void {
    void answerQuestion(this, question).catch((error: unknown) => this.report(error));
  }

  private dropped(bytes: number): void {
    this.console.note(`${(bytes / 1e6).toFixed(1)} MB of output came faster than it could be kept and are not shown`);
    this.reloadPanes();
  }

  private reloadPanes(): void {
    void this.environment.reload();
    void this.plots.reload();
    void this.documents.refresh();
    void this.presence.reload();
    this.sharing.reload().catch(() => undefined);
  }
}
