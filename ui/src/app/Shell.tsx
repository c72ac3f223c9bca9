import { Link, Outlet } from "@tanstack/react-router";
import { Boxes, FlaskConical, Search, Settings, Trash2 } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { Dialog } from "../components/Dialog";
import { Toasts } from "../components/Toasts";
import { useStrings } from "../i18n";
import icon from "../icon.svg";
import { Shortcuts } from "../pages/settings/Shortcuts";
import "./Shell.css";

const CommandPalette = lazy(() => import("../pages/palette/CommandPalette"));

/** What is around every page: the bar at the top, the command palette (Ctrl-K), the notices. */
export function Shell() {
  const t = useStrings();
  const [isSearching, setSearching] = useState(false);
  const [isHelping, setHelping] = useState(false);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        setSearching(true);
      }
      if (event.key === "?" && !isTyping(event.target)) setHelping(true);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  return (
    <div className="shell">
      <button type="button" className="skip-link" onClick={() => document.getElementById("content")?.focus()}>
        {t.common.skipToContent}
      </button>
      <header className="top-bar">
        <Link to="/experiments" className="brand">
          <img src={icon} alt="" width="22" height="22" />
          <span>Runyard</span>
        </Link>
        <nav aria-label={t.common.mainNavigation}>
          <Link to="/experiments">
            <FlaskConical size={15} aria-hidden /> <span>{t.common.experiments}</span>
          </Link>
          <Link to="/models">
            <Boxes size={15} aria-hidden /> <span>{t.common.models}</span>
          </Link>
        </nav>
        <button type="button" className="search-button" onClick={() => setSearching(true)}>
          <Search size={14} aria-hidden />
          <span className="search-words">{t.common.search}</span>
          <kbd>Ctrl K</kbd>
        </button>
        <nav aria-label={t.common.settings}>
          <Link to="/trash" title={t.common.trash} aria-label={t.common.trash}>
            <Trash2 size={16} aria-hidden />
          </Link>
          <Link to="/settings" title={t.common.settings} aria-label={t.common.settings}>
            <Settings size={16} aria-hidden />
          </Link>
        </nav>
      </header>
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
      {isSearching && (
        <Suspense>
          <CommandPalette onClose={() => setSearching(false)} />
        </Suspense>
      )}
      {isHelping && (
        <Dialog title={t.settings.shortcuts} onClose={() => setHelping(false)}>
          <Shortcuts />
        </Dialog>
      )}
      <Toasts />
    </div>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}
