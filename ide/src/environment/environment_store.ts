import { computed, signal } from "@preact/signals";
import type { EnvironmentChange } from "../net/protocol";
import { isConnectionError, type Rpc } from "../net/rpc";
import { changed, type Environment, environmentOf, NO_OBJECTS, rowsOf } from "./environment_model";

/** The environment list: what the session says of its objects, and the filter of this page. */
export class EnvironmentStore {
  readonly environment = signal<Environment>(NO_OBJECTS);
  readonly filter = signal("");
  readonly rows = computed(() => rowsOf(this.environment.value, this.filter.value));
  private reading: Promise<void> | null = null;
  private again = false;

  constructor(
    private readonly rpc: Rpc,
    private readonly failed: (error: unknown) => void,
  ) {}

  receive(change: EnvironmentChange): void {
    const next = changed(this.environment.value, change);
    if (next === null) void this.reload();
    else this.environment.value = next;
    // A change that came while the whole is being read may be older or newer than the answer.
    if (this.reading !== null) this.again = true;
  }

  /** Reads everything; one more time when asked again meanwhile. */
  reload(): Promise<void> {
    if (this.reading !== null) this.again = true;
    this.reading ??= this.readAll().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  private async readAll(): Promise<void> {
    do {
      this.again = false;
      try {
        this.environment.value = environmentOf(await this.rpc.call("get_environment_state", []));
      } catch (error) {
        if (!isConnectionError(error)) this.failed(error);
      }
    } while (this.again);
  }
}
