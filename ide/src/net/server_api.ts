import type { Notification, SessionRecord } from "./protocol";
import { ErrorCode } from "./protocol";
import { csrfToken, errorOf, type Fetch, RpcError } from "./rpc";

const ROOT = "../../api";
const BACKGROUND = { "X-RStudio-Refresh-Auth-Creds": "0" };
const API = `${ROOT}/sessions`;

export interface ResumeChoices {
  readonly run_rprofile: boolean;
  readonly restore: boolean;
  readonly create_project?: boolean;
  readonly in_project?: boolean;
}

export interface NewSession {
  /** Folder of a project; empty: none. */
  readonly project: string;
  readonly create_project: boolean;
  readonly reuse: boolean;
  readonly label: string | null;
  readonly r_version: string | null;
  readonly run_rprofile: boolean;
  readonly restore: boolean;
  readonly leave: { readonly session: string; readonly quit: boolean; readonly save: "yes" | "no" } | null;
}

export interface RVersion {
  readonly id: string;
  readonly title: string;
}

/** What the server itself knows about this session; it answers also when the session is gone. */
export class ServerApi {
  constructor(
    readonly session: string,
    private readonly fetch: Fetch,
    private readonly cookies: () => string,
  ) {}

  state(): Promise<SessionRecord> {
    return this.ask(`${API}/${this.session}`, { method: "GET" });
  }

  async resume(choices: ResumeChoices): Promise<void> {
    await this.ask(`${API}/${this.session}/resume`, { method: "POST", body: JSON.stringify(choices) });
  }

  /** Opens a session; its address. */
  async create(wanted: NewSession): Promise<string> {
    return (await this.ask<{ url: string }>(API, { method: "POST", body: JSON.stringify(wanted) })).url;
  }

  /** Whether a user may have several sessions on this server. */
  async allowsSeveral(): Promise<boolean> {
    return (await this.ask<{ multiple: boolean }>(`${ROOT}/projects`, { method: "GET" })).multiple;
  }

  /** What can be chosen as R of a session; none when the server does not tell. */
  async rVersions(): Promise<readonly RVersion[]> {
    const versions = this.ask<{ versions?: readonly RVersion[] }>(`${ROOT}/r-versions`, { method: "GET" });
    return (await versions.catch(() => null))?.versions ?? [];
  }

  /** Which R the session runs from its next start on. */
  async chooseR(version: string): Promise<void> {
    await this.ask(`${API}/${this.session}`, { method: "PATCH", body: JSON.stringify({ r_version: version }) });
  }

  /** Suspends the session, whatever stands against it. */
  async suspend(): Promise<void> {
    await this.ask(`${API}/${this.session}/suspend`, { method: "POST", body: JSON.stringify({ force: true }) });
  }

  /** Ends the session at once. */
  async kill(): Promise<void> {
    await this.ask(`${API}/${this.session}/kill`, { method: "POST", body: "{}" });
  }

  /** What the administrator tells everybody; asked by the page itself, which keeps nobody signed in. */
  async notifications(): Promise<readonly Notification[]> {
    const response = await this.send("../../api/notifications", { method: "GET" }, BACKGROUND);
    const body = (await response.json().catch(() => null)) as { notifications?: readonly Notification[] } | null;
    return body?.notifications ?? [];
  }

  /** Ends the sign-in in this browser; sessions keep running. */
  async signOut(): Promise<void> {
    await this.send("../../auth-sign-out", { method: "POST", body: "{}" });
  }

  private async ask<T = SessionRecord>(url: string, init: RequestInit): Promise<T> {
    const response = await this.send(url, init);
    const body: unknown = await response.json().catch(() => null);
    if (response.type === "opaqueredirect") throw new RpcError(ErrorCode.notSignedIn, "You are signed out.");
    if (!response.ok) throw errorOf(response.status, body);
    return body as T;
  }

  private async send(url: string, init: RequestInit, more: Record<string, string> = {}): Promise<Response> {
    const headers = {
      ...more,
      Accept: "application/json",
      "Content-Type": "application/json",
      "X-RS-CSRF-Token": csrfToken(this.cookies()),
    };
    try {
      return await this.fetch(url, { ...init, headers, credentials: "same-origin", redirect: "manual" });
    } catch {
      throw new RpcError(ErrorCode.connectionLost, "The server does not answer.");
    }
  }
}

/** The 21 hex digits of the session in the address of the page; empty when there are none. */
export function sessionOfAddress(pathname: string): string {
  return /\/s\/([0-9a-f]{21})(?:\/|$)/.exec(pathname)?.[1] ?? "";
}
