import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Icon } from "./icon";
import { localTimes } from "./local_times";
import type { Message, Messages } from "./messages";

const SHOWN_MS = 8000;

/** The notices in the corner. */
export function MessageList({ messages }: { readonly messages: Messages }): JSX.Element {
  return (
    <div class="messages" role="status" aria-live="polite">
      {messages.shown.value.map((message) => (
        <Notice key={message.id} message={message} dismiss={() => messages.dismiss(message.id)} />
      ))}
    </div>
  );
}

interface NoticeProps {
  readonly message: Message;
  readonly dismiss: () => void;
}

function Notice({ message, dismiss }: NoticeProps): JSX.Element {
  useEffect(() => {
    if (message.kind === "error" || message.url !== null) return;
    const timer = setTimeout(dismiss, SHOWN_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class={`message message-${message.kind}`} data-testid="message">
      <span>{localTimes(message.text)}</span>
      {message.url !== null && (
        <a class="button" href={message.url} target="_blank" rel="noopener noreferrer" onClick={dismiss}>
          Open
        </a>
      )}
      <button type="button" class="button button-icon" aria-label="Dismiss" onClick={dismiss}>
        <Icon name="close" />
      </button>
    </div>
  );
}
