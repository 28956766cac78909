import { signal } from "@preact/signals";
import type { Purpose } from "../project/session_form";

export interface Choice<T> {
  readonly label: string;
  readonly value: T;
  readonly look?: "primary" | "danger";
}

/** A question with buttons; leaving it (Escape) answers null. */
export interface Question {
  readonly type: "question";
  readonly title: string;
  readonly text: string;
  readonly choices: readonly Choice<unknown>[];
  readonly answer: (value: unknown) => void;
}

/** Choosing a file to open, or a folder and name to save to. */
export interface FileChoice {
  readonly type: "open-file" | "save-file";
  readonly folder: string;
  readonly name: string;
  readonly answer: (path: string | null) => void;
}

/** A new session, or a project to open. */
export interface SessionDialogRequest {
  readonly type: "session";
  readonly purpose: Purpose;
  readonly leave: () => void;
}

/** What the project file says. */
export interface OptionsRequest {
  readonly type: "project-options";
  readonly leave: () => void;
}

/** Who is in the open project. */
export interface ShareRequest {
  readonly type: "share";
  readonly leave: () => void;
}

type Request = Question | FileChoice | SessionDialogRequest | OptionsRequest | ShareRequest;

/** The one dialog that may be open, as a promise for the asker and as state for the view. */
export class Dialogs {
  readonly open = signal<Request | null>(null);

  ask<T>(title: string, text: string, choices: readonly Choice<T>[]): Promise<T | null> {
    return new Promise((resolve) => {
      const answer = (value: unknown): void => this.finish(() => resolve(value as T | null));
      this.open.value = { type: "question", title, text, choices, answer };
    });
  }

  chooseFile(type: FileChoice["type"], folder: string, name = ""): Promise<string | null> {
    return new Promise((resolve) => {
      const answer = (path: string | null): void => this.finish(() => resolve(path));
      this.open.value = { type, folder, name, answer };
    });
  }

  newSession(purpose: Purpose): void {
    this.open.value = { type: "session", purpose, leave: () => this.finish(() => undefined) };
  }

  projectOptions(): void {
    this.open.value = { type: "project-options", leave: () => this.finish(() => undefined) };
  }

  share(): void {
    this.open.value = { type: "share", leave: () => this.finish(() => undefined) };
  }

  /** Takes a question back that was answered elsewhere; who asked hears nothing. */
  withdraw(title: string): void {
    const open = this.open.value;
    if (open?.type === "question" && open.title === title) this.open.value = null;
  }

  private finish(resolve: () => void): void {
    this.open.value = null;
    resolve();
  }
}
