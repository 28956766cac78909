import type { ComponentChildren, JSX } from "preact";
import { Icon } from "./icon";

interface NoticeProps {
  readonly id: string;
  readonly role: "status" | "alert";
  readonly look?: "plain" | "warning" | "danger";
  readonly busy?: boolean;
  readonly dismiss?: () => void;
  readonly children: ComponentChildren;
}

/** One line of what is the case at the moment, below the header. */
export function Notice({ id, role, look = "plain", busy, dismiss, children }: NoticeProps): JSX.Element {
  return (
    <div class={`banner ${look === "plain" ? "" : `banner-${look}`}`} role={role} data-testid={`notice-${id}`}>
      {busy === true ? <span class="spinner" aria-hidden="true" /> : null}
      {children}
      {dismiss === undefined ? null : (
        <button type="button" class="button button-icon" aria-label="Dismiss" onClick={dismiss}>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
