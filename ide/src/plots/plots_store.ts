import { computed, signal } from "@preact/signals";
import type { PlotsState } from "../net/protocol";
import { isConnectionError, type Rpc } from "../net/rpc";
import { NO_PLOTS, neighbour, type PlotSize, pictureAddress } from "./plots_model";

/** The plot history of the session and the size it is drawn for. */
export class PlotsStore {
  readonly state = signal<PlotsState>(NO_PLOTS);
  /** The size the session was told last. */
  readonly size = signal<PlotSize | null>(null);
  readonly picture = computed(() => pictureAddress(this.state.value, this.size.value));
  private wanted: PlotSize | null = null;
  private telling: Promise<void> | null = null;

  constructor(
    private readonly rpc: Rpc,
    private readonly failed: (error: unknown) => void,
    /** Whether the session may be asked: a question that nobody asked must not bring back one that is suspended. */
    private readonly isAwake: () => boolean = () => true,
  ) {}

  receive(state: PlotsState): void {
    this.state.value = state;
  }

  async reload(): Promise<void> {
    await this.attempt(async () => this.receive(await this.rpc.call("get_plots", [])));
  }

  /** The pane has another size; the session hears of the newest one only. */
  resize(size: PlotSize): void {
    this.wanted = size;
    if (!this.isAwake()) return;
    this.telling ??= this.tellSize().finally(() => {
      this.telling = null;
    });
  }

  /** A new session process does not know the size yet. */
  tellSizeAgain(): void {
    const size = this.wanted ?? this.size.value;
    if (size !== null) this.resize(size);
  }

  /** The connection is back: a size that did not get through is told now. */
  tellPendingSize(): void {
    if (this.wanted !== null) this.resize(this.wanted);
  }

  async step(step: -1 | 1): Promise<void> {
    const id = neighbour(this.state.value, step);
    if (id !== null) await this.change("select_plot", id);
  }

  async remove(): Promise<void> {
    const { active } = this.state.value;
    if (active !== null) await this.change("remove_plot", active);
  }

  async clear(): Promise<void> {
    await this.attempt(async () => this.receive(await this.rpc.call("clear_plots", [])));
  }

  private async change(method: "select_plot" | "remove_plot", id: string): Promise<void> {
    await this.attempt(async () => this.receive(await this.rpc.call(method, [id])));
  }

  private async tellSize(): Promise<void> {
    for (let size = this.wanted; size !== null && this.isAwake(); size = this.wanted) {
      // While R is busy the answer waits, but pictures that exist already need not.
      this.size.value ??= size;
      if (!(await this.attempt(() => this.tell(size as PlotSize)))) return;
    }
  }

  private async tell(size: PlotSize): Promise<void> {
    const state = await this.rpc.call("set_plot_size", [size.width, size.height, size.dpr]);
    this.size.value = size;
    this.receive(state);
    if (this.wanted === size) this.wanted = null;
  }

  private async attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      if (!isConnectionError(error)) this.failed(error);
      return false;
    }
  }
}
