import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import "./Menu.css";

const GAP_PX = 4;

interface MenuProps {
  /** What opens it: the content of the button, and its label where the content is an icon. */
  button: ReactNode;
  label?: string;
  buttonClass?: string;
  /** MenuItem elements, and <hr> between groups. */
  children: ReactNode;
  align?: "start" | "end";
}

/** A button with a menu: arrows, Home, End and letters move in it; Escape and a click elsewhere close it. */
export function Menu({ button, label, buttonClass = "button", children, align = "start" }: MenuProps) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!isOpen || !opener.current || !list.current) return;
    // Above the page, where nothing around it clips or moves it; browsers without popovers draw it in place.
    list.current.showPopover?.();
    place(list.current, opener.current, align);
  }, [isOpen, align]);
  useEffect(() => {
    if (!isOpen) return;
    itemsOf(list.current)[0]?.focus({ preventScroll: true });
    const closeOutside = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    // It stands where its button was: it does not go with it.
    const closeOnScroll = (event: Event) => {
      if (event.target !== list.current) setOpen(false);
    };
    document.addEventListener("pointerdown", closeOutside);
    document.addEventListener("scroll", closeOnScroll, { capture: true });
    return () => {
      document.removeEventListener("pointerdown", closeOutside);
      document.removeEventListener("scroll", closeOnScroll, { capture: true });
    };
  }, [isOpen]);
  function onKeyDown(event: KeyboardEvent) {
    const items = itemsOf(list.current);
    const current = items.indexOf(document.activeElement as HTMLElement);
    const focus = (index: number) => {
      event.preventDefault();
      items[(index + items.length) % items.length]?.focus();
    };
    if (event.key === "Escape" || event.key === "Tab") {
      // What is around it, such as a dialog, stays open.
      event.stopPropagation();
      setOpen(false);
      if (event.key === "Escape") {
        event.preventDefault();
        opener.current?.focus();
      }
    } else if (event.key === "ArrowDown") focus(current + 1);
    else if (event.key === "ArrowUp") focus(current < 0 ? -1 : current - 1);
    else if (event.key === "Home") focus(0);
    else if (event.key === "End") focus(-1);
    else if (event.key.length === 1 && /\S/.test(event.key)) {
      const rest = [...items.slice(current + 1), ...items.slice(0, current + 1)];
      rest.find((item) => item.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    }
  }
  return (
    <div className="menu" ref={root}>
      <button
        ref={opener}
        type="button"
        className={buttonClass}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        {button}
      </button>
      {isOpen && (
        <div
          ref={list}
          id={id}
          role="menu"
          popover="manual"
          tabIndex={-1}
          className={`menu-list ${align}`}
          onKeyDown={onKeyDown}
          onClick={(event) => {
            if (!(event.target as HTMLElement).closest("[role^=menuitem]")) return;
            setOpen(false);
            opener.current?.focus();
          }}
        >
          {children}
        </div>
      )}
    </div>
  );
}

interface MenuItemProps {
  onSelect: () => void;
  icon?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  /** Given for an item that can be on or off. */
  checked?: boolean;
  children: ReactNode;
}

export function MenuItem({ onSelect, icon, danger = false, disabled = false, checked, children }: MenuItemProps) {
  return (
    <button
      type="button"
      role={checked === undefined ? "menuitem" : "menuitemcheckbox"}
      aria-checked={checked}
      tabIndex={-1}
      disabled={disabled}
      className={`menu-item ${danger ? "danger" : ""}`}
      onClick={onSelect}
    >
      <span className="menu-icon" aria-hidden>
        {checked ? "✓" : icon}
      </span>
      {children}
    </button>
  );
}

/** Put the list below its button, or above where there is more room; no scrolling table or edge cuts it off. */
function place(list: HTMLElement, button: HTMLElement, align: "start" | "end"): void {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = list;
  const isAbove = at.bottom + GAP_PX + height > innerHeight && at.top > innerHeight - at.bottom;
  const left = align === "end" ? at.right - width : at.left;
  list.style.left = `${Math.max(GAP_PX, Math.min(left, innerWidth - width - GAP_PX))}px`;
  list.style.top = `${isAbove ? Math.max(GAP_PX, at.top - GAP_PX - height) : at.bottom + GAP_PX}px`;
}

function itemsOf(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>("[role^=menuitem]:not(:disabled)") ?? [])];
}
