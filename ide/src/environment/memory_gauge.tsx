import type { JSX } from "preact";
import type { App } from "../app";
import { memoryWords } from "./memory_store";

/** How much of the memory that the session may have is in use; nothing where nothing limits it. */
export function MemoryGauge({ app }: { readonly app: App }): JSX.Element | null {
  const gauge = app.memory.gauge.value;
  if (gauge === null) return null;
  const { used, limit, share, isShort } = gauge;
  const words = `${memoryWords(used)} of ${memoryWords(limit)}`;
  return (
    <div
      class={`memory ${isShort ? "memory-short" : ""}`}
      role="meter"
      aria-label="Memory of this session"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      aria-valuetext={words}
      title={`This session uses ${words} of memory that it may have`}
      data-testid="memory-gauge"
    >
      <svg class="memory-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="memory-all" width="100" height="4" />
        <rect class="memory-used" width={share * 100} height="4" />
      </svg>
      <span>{words}</span>
    </div>
  );
}
