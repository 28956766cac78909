import { computed, effect, signal, untracked } from "@preact/signals";
import type { Person, PresentPeople } from "../net/protocol";
import type { Rpc } from "../net/rpc";

/** Where a followed person is: file from the project's folder, line from 1 on (0: not known). */
export interface Spot {
  readonly file: string;
  readonly line: number;
}

/** The other sessions in the project, and the one that is followed. */
export class PresenceStore {
  readonly people = signal<readonly Person[]>([]);
  private readonly followedSession = signal<string | null>(null);
  /** The person whose place in the project this page follows. */
  readonly followed = computed(
    () => this.people.value.find((person) => person.session === this.followedSession.value) ?? null,
  );
  private wanted: Spot | null = null;
  private isGoing = false;

  constructor(
    private readonly rpc: Rpc,
    /** Shows a place in the project. */
    private readonly go: (spot: Spot) => Promise<void>,
    private readonly failed: (error: unknown) => void,
    private readonly say: (text: string) => void,
  ) {
    const spot = computed(() => {
      const person = this.followed.value;
      return person === null || person.file === "" ? null : JSON.stringify([person.file, person.line]);
    });
    effect(() => {
      if (spot.value === null) return;
      const [file, line] = JSON.parse(spot.value) as [string, number];
      untracked(() => void this.show({ file, line }));
    });
  }

  receive(present: PresentPeople | undefined): void {
    const before = this.followed.value;
    this.people.value = present?.people ?? [];
    if (before === null || this.followed.value !== null) return;
    this.stop();
    this.say(`${before.name} has left the project.`);
  }

  /** The session has ended: nobody is seen from here. */
  gone(): void {
    this.stop();
    this.people.value = [];
  }

  /** Makes up for events that were missed. */
  async reload(): Promise<void> {
    const present = await this.rpc.call("get_presence", []).catch(() => null);
    if (present !== null) this.receive(present);
  }

  /** Goes where this person is, and after them, until `stop`. */
  follow(session: string): void {
    this.followedSession.value = session;
  }

  stop(): void {
    this.followedSession.value = null;
    this.wanted = null;
  }

  /** One place after the other; those that were left meanwhile are passed over. */
  private async show(spot: Spot): Promise<void> {
    this.wanted = spot;
    if (this.isGoing) return;
    this.isGoing = true;
    try {
      while (this.wanted !== null) {
        const next: Spot = this.wanted;
        this.wanted = null;
        await this.go(next);
      }
    } catch (error) {
      this.stop();
      this.failed(error);
    } finally {
      this.isGoing = false;
    }
  }
}
