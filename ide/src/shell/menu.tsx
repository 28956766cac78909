import { useSignal } from "@preact/signals";
import { type ComponentChildren, createContext, type JSX } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";
import { useClosing } from "./closing";
import { targetOf } from "./menu_keys";

const Close = createContext<() => void>(() => undefined);

interface MenuButtonProps {
  /** What the list is called. */
  readonly label: string;
  readonly testId: string;
  /** Of the list. */
  readonly listId?: string;
  /** What the button shows. */
  readonly face: ComponentChildren;
  readonly look?: string;
  readonly title?: string;
  readonly disabled?: boolean;
  /** The list hangs from the right end of the button. */
  readonly right?: boolean;
  readonly opened?: () => void;
  readonly children: ComponentChildren;
}

/** A button with a menu: opened by click, Enter or arrow key, gone with Escape, a choice, or use of anything else. */
export function MenuButton(props: MenuButtonProps): JSX.Element {
  const { shown, place, open, close } = useMenu(props.opened);
  const leave = (): void => {
    place.current?.querySelector("button")?.focus();
    close();
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowDown" || shown.value) return;
    open();
    event.preventDefault();
  };
  return (
    <div class="menu-place" ref={place}>
      <button
        type="button"
        class={`button ${props.look ?? ""}`}
        data-testid={props.testId}
        aria-haspopup="menu"
        aria-expanded={shown.value}
        title={props.title}
        disabled={props.disabled}
        onClick={() => (shown.value ? close() : open())}
        onKeyDown={press}
      >
        {props.face}
      </button>
      {shown.value ? (
        <Close.Provider value={leave}>
          <List label={props.label} testId={props.listId} right={props.right ?? false}>
            {props.children}
          </List>
        </Close.Provider>
      ) : null}
    </div>
  );
}

function useMenu(opened: (() => void) | undefined) {
  const shown = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  const close = (): void => {
    shown.value = false;
  };
  const open = (): void => {
    shown.value = true;
    opened?.();
  };
  useClosing(place, close);
  return { shown, place, open, close };
}

interface ListProps {
  readonly label: string;
  readonly testId: string | undefined;
  readonly right: boolean;
  readonly children: ComponentChildren;
}

function List({ label, testId, right, children }: ListProps): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const items = (): HTMLElement[] => [...(list.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
  useEffect(() => items()[0]?.focus(), []);
  const press = (event: KeyboardEvent): void => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const words = all.map((item) => item.textContent ?? "");
    const target = targetOf(event, words, at);
    if (target === null) return;
    all[target]?.focus();
    event.preventDefault();
  };
  return (
    <div
      class={right ? "menu menu-right" : "menu"}
      role="menu"
      aria-label={label}
      ref={list}
      onKeyDown={press}
      data-testid={testId}
    >
      {children}
    </div>
  );
}

interface MenuItemProps {
  /** Called after the menu is gone. */
  readonly run: (event: MouseEvent) => void;
  readonly title?: string;
  readonly testId?: string;
  readonly children: ComponentChildren;
}

export function MenuItem({ run, title, testId, children }: MenuItemProps): JSX.Element {
  const close = useContext(Close);
  const choose = (event: MouseEvent): void => {
    close();
    run(event);
  };
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      class="menu-item"
      title={title}
      data-testid={testId}
      onClick={choose}
    >
      {children}
    </button>
  );
}

interface MenuGroupProps {
  readonly label: string;
  readonly children: ComponentChildren;
}

/** Items below a heading. */
export function MenuGroup({ label, children }: MenuGroupProps): JSX.Element {
  return (
    <div role="group" aria-label={label}>
      <div class="menu-heading" aria-hidden="true">
        {label}
      </div>
      {children}
    </div>
  );
}
