import { signal } from "@preact/signals";
import type { ClientInit, SessionEvent } from "../net/protocol";
import { messageOf, type Rpc } from "../net/rpc";
import type {
  Revoked,
  SavedCopies,
  SharedProject,
  SharingDone,
  SharingFailed,
  SharingProgress,
  SharingState,
} from "../net/sharing_protocol";

/** What becomes of a change of the members. */
export type Work =
  | { readonly kind: "none" }
  | { readonly kind: "running"; readonly done: number; readonly total: number | null; readonly stopping: boolean }
  | { readonly kind: "done"; readonly result: SharingDone; readonly repaired?: boolean }
  | { readonly kind: "failed"; readonly sentence: string; readonly cancelled: boolean };

const NONE: Work = { kind: "none" };
const BEGUN: Work = { kind: "running", done: 0, total: null, stopping: false };

/** Who is in the project, what is shared with this user, and the change that is under way. */
export class SharingStore {
  readonly state = signal<SharingState | null>(null);
  readonly work = signal<Work>(NONE);
  readonly withMe = signal<readonly SharedProject[]>([]);
  /** The project that was taken from this user, until it is read. */
  readonly revoked = signal<Revoked | null>(null);
  /** What runs changes no members, it gives those there are what is missing. */
  private repairs = false;
  /** The operation that ended last. */
  private ended: number | null = null;

  constructor(
    private readonly rpc: Rpc,
    /** A change came to its end. */
    private readonly finished: (work: Work) => void,
  ) {}

  restore({ sharing, sharing_revoked }: Pick<ClientInit, "sharing" | "sharing_revoked">): void {
    this.know(sharing ?? null);
    this.revoked.value = sharing_revoked ?? null;
  }

  receive(event: SessionEvent): boolean {
    if (event.type === "sharing_changed") this.changed(event.data);
    else if (event.type === "sharing_progress") this.progressed(event.data);
    else if (event.type === "sharing_done") this.end(event.data, this.success(event.data));
    else if (event.type === "sharing_failed") this.end(event.data, failure(event.data));
    else if (event.type === "shared_with_me_changed") this.withMe.value = event.data.projects;
    else if (event.type === "sharing_revoked") this.revoked.value = event.data;
    else return false;
    return true;
  }

  /** The session has ended: nobody works on it any more. */
  gone(): void {
    this.state.value = null;
    this.work.value = NONE;
  }

  /** Makes up for events that were missed. Fails with RpcError. */
  async reload(): Promise<void> {
    this.know(await this.rpc.call("sharing_state", []));
  }

  /** A list that cannot be had stays as it was: nobody asked for it by a click. */
  async reloadWithMe(): Promise<void> {
    const answer = await this.rpc.call("shared_with_me", []).catch(() => null);
    if (answer !== null) this.withMe.value = answer.projects;
  }

  setMembers(members: readonly string[]): Promise<void> {
    return this.begin(() => this.rpc.call("sharing_set_members", [members]));
  }

  /** Owner and members get the access again that single files have lost. */
  repair(): Promise<void> {
    const members = this.state.value?.members.map(({ name }) => name) ?? [];
    return this.begin(() => this.rpc.call("sharing_set_members", [members]), true);
  }

  leave(): Promise<void> {
    return this.begin(() => this.rpc.call("sharing_leave", []));
  }

  async cancel(): Promise<void> {
    const { value } = this.work;
    if (value.kind !== "running") return;
    this.work.value = { ...value, stopping: true };
    await this.rpc.call("sharing_cancel", []);
  }

  /** What was said of the last change has been read. */
  forgetWork(): void {
    if (this.work.value.kind !== "running") this.work.value = NONE;
  }

  saveCopies(folder: string): Promise<SavedCopies> {
    return this.rpc.call("sharing_save_copies", [folder]);
  }

  /** The user has read that the project is gone. */
  async seen(): Promise<void> {
    this.revoked.value = null;
    await this.rpc.call("sharing_revoked_seen", []);
  }

  private async begin(call: () => Promise<{ readonly operation: number }>, repairs = false): Promise<void> {
    if (this.work.value.kind === "running") return;
    this.repairs = repairs;
    this.work.value = BEGUN;
    try {
      await call();
    } catch (error) {
      this.work.value = { kind: "failed", sentence: messageOf(error), cancelled: false };
    }
  }

  /** What the session says about it now is all there is: the end of what ran meanwhile was missed. */
  private know(state: SharingState | null): void {
    this.state.value = state;
    const progress = state?.progress ?? null;
    if (progress !== null) this.progressed(progress);
    else if (this.work.value.kind === "running") this.work.value = NONE;
  }

  private changed(state: SharingState): void {
    this.state.value = state;
    if (state.progress !== null) this.progressed(state.progress);
  }

  private progressed({ operation, done, total }: SharingProgress): void {
    if (operation === this.ended) return;
    const { value } = this.work;
    this.work.value = { kind: "running", done, total, stopping: value.kind === "running" && value.stopping };
  }

  private success(result: SharingDone): Work {
    return this.repairs ? { kind: "done", result, repaired: true } : { kind: "done", result };
  }

  private end({ operation }: { readonly operation: number }, work: Work): void {
    this.ended = operation;
    this.repairs = false;
    this.work.value = work;
    this.finished(work);
  }
}

function failure({ sentence, cancelled }: SharingFailed): Work {
  return { kind: "failed", sentence, cancelled };
}
