import { computed, signal } from "@preact/signals";
import { messageOf } from "../net/rpc";
import type { Account, FoundPeople } from "../net/sharing_protocol";

const PAUSE_MS = 120;
const MOST_SHOWN = 8;

/** Proposals for the name that is being typed. Answers that come too late are dropped. */
export class PeopleSearch {
  readonly query = signal("");
  readonly found = signal<readonly Account[]>([]);
  /** Why nobody, or not everybody, is proposed; a sentence or empty. */
  readonly problem = signal("");
  /** The proposal that Enter takes; -1: none. */
  readonly at = signal(-1);
  private readonly open = signal(false);
  readonly shown = computed(() => (this.open.value ? this.found.value.slice(0, MOST_SHOWN) : []));
  private asked = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly find: (query: string, limit: number) => Promise<FoundPeople>,
    /** Accounts that are not to be proposed. */
    private readonly taken: () => ReadonlySet<string>,
  ) {}

  type(query: string): void {
    this.forget();
    this.query.value = query;
    this.open.value = true;
    if (query.trim() !== "") this.timer = setTimeout(() => void this.ask(), PAUSE_MS);
  }

  step(by: number): void {
    const count = this.shown.value.length;
    if (count > 0) this.at.value = this.at.value < 0 && by < 0 ? count - 1 : (this.at.value + by + count) % count;
  }

  /** Takes the proposals away and leaves what was typed; answers that are awaited do not count. */
  forget(): void {
    clearTimeout(this.timer);
    this.asked += 1;
    this.found.value = [];
    this.problem.value = "";
    this.fold();
  }

  /** Shows no proposals until something is typed; what was said stays. */
  fold(): void {
    this.open.value = false;
    this.at.value = -1;
  }

  clear(): void {
    this.forget();
    this.query.value = "";
  }

  /** Whoever Enter means: the chosen proposal, else the one account that fits what was typed; null: says why. */
  async pick(): Promise<Account | null> {
    const chosen = this.shown.value[this.at.value];
    if (chosen !== undefined) return chosen;
    const typed = this.query.value.trim();
    if (typed === "" || !(await this.ask())) return null;
    const found = this.found.value;
    const fitting = found.find(({ name }) => name === typed) ?? (found.length === 1 ? found[0] : undefined);
    if (this.taken().has(typed)) this.problem.value = `“${typed}” is in the project already.`;
    else if (found.length === 0) this.problem.value ||= `There is nobody called “${typed}”.`;
    return fitting ?? null;
  }

  /** False when something else was typed meanwhile. */
  private async ask(): Promise<boolean> {
    clearTimeout(this.timer);
    this.asked += 1;
    const number = this.asked;
    const answer = await this.find(this.query.value.trim(), MOST_SHOWN + this.taken().size).catch(failed);
    if (number !== this.asked) return false;
    this.found.value = answer.people.filter(({ name }) => !this.taken().has(name));
    this.problem.value = this.found.value.length === 0 ? answer.reason : "";
    this.at.value = -1;
    return true;
  }
}

function failed(error: unknown): FoundPeople {
  return { people: [], reason: messageOf(error) };
}
