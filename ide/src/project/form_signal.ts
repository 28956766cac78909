import type { Signal } from "@preact/signals";
import type { SessionForm } from "./session_form";

/** What the dialog holds while it is open. */
export type FormSignal = Signal<SessionForm>;

/** Changes some fields. */
export function change(form: FormSignal, fields: Partial<SessionForm>): void {
  form.value = { ...form.value, ...fields };
}
