import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** The first item of a menu has the focus when it opens; the arrow keys go round. What to do with a key. */
export function useMenuKeys(menu: RefObject<HTMLElement | null>): (event: KeyboardEvent) => void {
  useEffect(() => menu.current?.querySelector("button")?.focus(), []);
  return (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    const items = [...(menu.current?.querySelectorAll("button") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    items[(at + step + items.length) % items.length]?.focus();
    event.preventDefault();
  };
}
