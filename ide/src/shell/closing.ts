import { useEffect } from "preact/hooks";

/** Leaves a menu when something else on the page is used. */
export function useClosing(place: { current: HTMLElement | null }, close: () => void): void {
  useEffect(() => {
    const elsewhere = (event: Event): void => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) close();
    };
    const leaveByKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || !place.current?.querySelector(".menu")) return;
      close();
      place.current.querySelector("button")?.focus();
      event.preventDefault();
    };
    document.addEventListener("keydown", leaveByKey);
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("focusin", elsewhere);
    return () => {
      document.removeEventListener("keydown", leaveByKey);
      document.removeEventListener("pointerdown", elsewhere);
      document.removeEventListener("focusin", elsewhere);
    };
  }, []);
}
