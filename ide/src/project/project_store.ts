import { signal } from "@preact/signals";
import type { OpenProject, ProjectState, RecentProject } from "../net/protocol";
import type { Rpc } from "../net/rpc";

/** The project of this session, and the projects that its user opened last. */
export class ProjectStore {
  readonly open = signal<OpenProject | null>(null);
  /** Where new projects are made. */
  readonly newFolder = signal("~");
  readonly recent = signal<readonly RecentProject[]>([]);

  constructor(
    private readonly rpc: Rpc,
    private readonly failed: (error: unknown) => void,
  ) {}

  receive(state: ProjectState | undefined): void {
    this.open.value = state?.open ?? null;
    this.newFolder.value = state?.new_folder ?? "~";
  }

  async reloadRecent(): Promise<void> {
    try {
      this.recent.value = await this.rpc.call("list_recent_projects", []);
    } catch (error) {
      this.failed(error);
    }
  }

  async forget(folder: string): Promise<void> {
    try {
      await this.rpc.call("forget_recent_project", [folder]);
    } catch (error) {
      this.failed(error);
    }
    await this.reloadRecent();
  }
}
