import { ErrorCode } from "../net/protocol";
import { isConnectionError, type Rpc, RpcError } from "../net/rpc";
import { acknowledged, isClean, notDelivered, take } from "./document_sync";
import type { OpenDocument } from "./open_document";

/** Pause after a keystroke before it is sent, so that a word is one message. */
export const SEND_AFTER_MS = 200;

/** Sends the edits of one document to the session, in order, one at a time, until nothing is left. */
export class DocumentUploader {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private running: Promise<void> | null = null;

  constructor(
    private readonly document: OpenDocument,
    private readonly rpc: Rpc,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Something was typed. */
  schedule(): void {
    this.timer ??= setTimeout(() => void this.flush(), SEND_AFTER_MS);
  }

  /** Sends what there is now; resolves when it arrived or could not be sent. */
  async flush(keepalive = false): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.running ??= this.sendAll(keepalive).finally(() => {
      this.running = null;
    });
    await this.running;
  }

  private async sendAll(keepalive: boolean): Promise<void> {
    try {
      while (!isClean(this.document.sync)) await this.sendOne(keepalive);
    } catch (error) {
      this.document.sync = notDelivered(this.document.sync);
      if (!isConnectionError(error)) this.failed(error);
    }
  }

  private async sendOne(keepalive: boolean): Promise<void> {
    const taken = take(this.document.sync);
    if (taken === null) return;
    const { splice } = taken;
    this.document.sync = taken.state;
    try {
      const base = taken.state.revision;
      const parameters = [this.document.id, base, splice.from, splice.to, splice.insert] as const;
      const { revision } = await this.rpc.call("update_document", [...parameters], { keepalive });
      this.document.sync = acknowledged(this.document.sync, revision);
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== ErrorCode.staleRevision) throw error;
      this.document.rebase(await this.rpc.call("get_document", [this.document.id]));
    }
  }
}
