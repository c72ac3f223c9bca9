import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { runQuery } from "../../api/runs";
import { Problem } from "../../components/Problem";
import { type Strings, useStrings } from "../../i18n";
import { runAddress } from "../../lib/addresses";
import { type Item, matching, recentItems, rememberItem, runIdOf } from "../../lib/palette";
import { preferences, setPreference, shownTheme } from "../../lib/preferences";
import { CreateExperimentDialog } from "../experiments/CreateExperimentDialog";
import { PaletteOption } from "./PaletteOption";
import { usePaletteItems } from "./usePaletteItems";
import "./CommandPalette.css";

interface Action extends Item {
  act?: () => void;
}

/** Finds experiments, runs and models by their names, and does what can be done from anywhere. */
export default function CommandPalette({ onClose }: { onClose: () => void }) {
  const [isCreating, setCreating] = useState(false);
  if (isCreating) return <CreateExperimentDialog onClose={onClose} />;
  return <Palette onClose={onClose} onCreate={() => setCreating(true)} />;
}

function Palette({ onClose, onCreate }: { onClose: () => void; onCreate: () => void }) {
  const t = useStrings();
  const words = t.settings.palette;
  const id = useId();
  const router = useRouter();
  const element = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  // Enter before the answer is there: in a new tab or not.
  const awaited = useRef<{ inNewTab: boolean }>(undefined);
  const [recent] = useState(recentItems);
  const query = text.trim();
  const { items: found, isSearching, error } = usePaletteItems(text);
  const actions = actionsOf(t, onCreate);
  const groups = (
    query === ""
      ? [
          { name: words.recent, items: recent },
          { name: words.actions, items: actions },
        ]
      : [
          { name: t.common.experiments, items: found.filter(({ kind }) => kind === "experiment") },
          { name: t.experiments.runs, items: found.filter(({ kind }) => kind === "run") },
          { name: t.common.models, items: found.filter(({ kind }) => kind === "model") },
          { name: words.actions, items: matching(actions, query) },
        ]
  ).filter(({ items }) => items.length > 0);
  const items = groups.flatMap((group): Action[] => group.items);
  const at = Math.min(active, items.length - 1);

  function take(item: Action, inNewTab: boolean) {
    rememberItem(item);
    if (item.href !== undefined && inNewTab) window.open(item.href, "_blank", "noopener");
    else if (item.href !== undefined) {
      router.history.push(item.href.slice(1));
      onClose();
    } else {
      // A dialog that it opens takes the place of this one.
      if (item.id !== CREATE) onClose();
      item.act?.();
    }
  }
  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && items.length > 0) {
      event.preventDefault();
      setActive((at + step + items.length) % items.length);
    } else if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      const inNewTab = event.ctrlKey || event.metaKey;
      if (isSearching && query !== "") awaited.current = { inNewTab };
      else if (items[at]) take(items[at], inNewTab);
    }
  }
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, text]);
  useEffect(() => {
    if (isSearching || awaited.current === undefined) return;
    const { inNewTab } = awaited.current;
    awaited.current = undefined;
    if (items[at]) take(items[at], inNewTab);
    // What is taken is what is there when the answer comes.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isSearching]);
  // An id that is pasted needs no Enter. The run may be in the trash, where no search looks.
  const runId = runIdOf(query);
  const run = useQuery({ ...runQuery(runId ?? ""), enabled: runId !== undefined }).data?.info;
  useEffect(() => {
    if (run === undefined || run.run_id !== runId) return;
    const href = runAddress(run.experiment_id, run.run_id);
    take({ kind: "run", id: `run ${run.run_id}`, label: run.run_name || run.run_id, href }, false);
    // Once for each id.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [run?.run_id, runId]);

  return (
    // The browser takes care of Escape, and of the focus; the click outside is one way more to close it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={element}
      className="palette"
      aria-label={t.common.searchEverything}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === element.current && onClose()}
    >
      <div className="palette-content">
        <div className="palette-field">
          <Search size={16} aria-hidden />
          <input
            type="text"
            role="combobox"
            autoFocus
            aria-label={t.common.searchEverything}
            aria-expanded={items.length > 0}
            aria-controls={`${id}-list`}
            aria-autocomplete="list"
            aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
            placeholder={words.placeholder}
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setActive(0);
              awaited.current = undefined;
            }}
            onKeyDown={onKeyDown}
          />
          <kbd aria-hidden>Esc</kbd>
        </div>
        {error && <Problem error={error} />}
        <div
          ref={list}
          id={`${id}-list`}
          role="listbox"
          aria-label={t.common.search}
          aria-busy={isSearching}
          className="palette-list"
        >
          {groups.map(({ name, items: members }) => (
            <div key={name} role="group" aria-label={name}>
              <div className="palette-heading" aria-hidden>
                {name}
              </div>
              {members.map((item) => {
                const place = items.indexOf(item);
                return (
                  <PaletteOption
                    key={item.id}
                    id={`${id}-${place}`}
                    item={item}
                    query={query}
                    isActive={place === at}
                    onPoint={() => setActive(place)}
                    onTake={(inNewTab) => take(item, inNewTab)}
                  />
                );
              })}
            </div>
          ))}
        </div>
        <div className={query !== "" && items.length === 0 && !isSearching ? "palette-nothing" : ""} role="status">
          {query !== "" && items.length === 0 && !isSearching && words.nothing}
        </div>
        <div className="palette-help">{words.hint}</div>
      </div>
    </dialog>
  );
}

const CREATE = "create-experiment";

/** What can be done from anywhere: go to a page, make an experiment, change how things look. */
function actionsOf(t: Strings, onCreate: () => void): Action[] {
  const words = t.settings.palette;
  const pages: [string, string][] = [
    [t.common.experiments, "#/experiments"],
    [t.common.models, "#/models"],
    [t.common.trash, "#/trash"],
    [t.common.settings, "#/settings"],
  ];
  return [
    ...pages.map(([name, href]): Action => ({ kind: "action", id: `page ${href}`, label: words.goTo(name), href })),
    { kind: "action", id: CREATE, label: t.experiments.newExperiment, act: onCreate },
    {
      kind: "action",
      id: "theme",
      label: words.switchTheme,
      act: () => setPreference("theme", shownTheme.get() === "dark" ? "light" : "dark"),
    },
    {
      kind: "action",
      id: "language",
      label: words.switchLanguage,
      act: () => setPreference("language", preferences.get().language === "en" ? "es" : "en"),
    },
  ];
}
