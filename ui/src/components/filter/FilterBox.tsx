import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CornerDownLeft, ListFilter, X } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { ApiError } from "../../api/client";
import { runColumnsQuery } from "../../api/runs";
import { useStrings } from "../../i18n";
import { check, type Problem } from "../../lib/filter/check";
import { type Completion, complete, examplesOf, nameSearch, take } from "../../lib/filter/complete";
import { briefly, placeOf } from "../../lib/filter/highlight";
import type { Entity } from "../../lib/filter/vocabulary";
import { IconButton } from "../Button";
import { FilterHelp } from "./FilterHelp";
import { FilterText } from "./FilterText";
import { optionId, Suggestions } from "./Suggestions";
import { useColumnValues } from "./useColumnValues";
import "./FilterBox.css";

interface FilterBoxProps {
  /** The filter that is in force. */
  value: string;
  onApply: (filter: string) => void;
  entity: Entity;
  /** Whose names and values are offered; used for runs. */
  experimentIds: string[];
  /** What the server says about the filter in force. */
  error?: Error;
}

/** How long nothing must be typed until what is being written counts as meant so. */
const SETTLE_MS = 900;

/** A filter, with completion as it is written, and with what is wrong in it shown in its place. */
export function FilterBox({ value, onApply, entity, experimentIds, error }: FilterBoxProps) {
  const t = useStrings();
  const id = useId();
  const box = useRef<HTMLTextAreaElement>(null);
  const drawn = useRef<HTMLDivElement>(null);
  const nextCaret = useRef<number>(undefined);
  const [lastValue, setLastValue] = useState(value);
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(value.length);
  const [isOpen, setOpen] = useState(false);
  // What the arrows chose; without that it follows from the text.
  const [chosen, setChosen] = useState<number>();
  // Whether all that is wrong is told, what is only unfinished too: after Enter, and after the box was left.
  const [isTold, setTold] = useState(false);
  const [isSettled, setSettled] = useState(true);

  // A filter that came from elsewhere, such as another address, replaces what was being written.
  if (value !== lastValue) {
    setLastValue(value);
    setText(value);
    setTold(false);
  }

  const { data: names } = useQuery({
    ...runColumnsQuery(experimentIds),
    enabled: entity === "runs" && experimentIds.length > 0,
  });
  const context = useMemo(() => ({ entity, names, experimentIds }), [entity, names, experimentIds]);
  const wanted = isOpen ? complete(text, caret, context).values : undefined;
  const values = useColumnValues(experimentIds, wanted);
  const { items, wantsNumber } = useMemo(
    () => complete(text, caret, { ...context, values }),
    [text, caret, context, values],
  );
  const problem = useMemo(() => check(text, entity, names), [text, entity, names]);
  const words = nameSearch(text, entity);
  const isListOpen = isOpen && items.length > 0;
  // Where the filter is complete Enter applies it; else it takes what is offered first.
  const active = chosen !== undefined ? Math.min(chosen, items.length - 1) : problem ? 0 : undefined;
  const told = words ? undefined : shownProblem(problem, caret, isOpen, isTold, isSettled);
  const refusal = error instanceof ApiError && error.status === 400 && text === value ? error : undefined;
  const wrong = told ?? (refusal && placeOf(refusal.message, text));

  useEffect(() => {
    if (isSettled) return;
    const timer = setTimeout(() => setSettled(true), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [isSettled, text]);
  useEffect(() => {
    const onSlash = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isEditable(event.target) || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      box.current?.focus();
      setOpen(true);
    };
    document.addEventListener("keydown", onSlash);
    return () => document.removeEventListener("keydown", onSlash);
  }, []);
  useLayoutEffect(() => {
    // React puts the caret at the end of a text that it sets.
    if (nextCaret.current !== undefined) box.current?.setSelectionRange(nextCaret.current, nextCaret.current);
    nextCaret.current = undefined;
    follow();
  }, [text]);

  function follow() {
    if (drawn.current && box.current) drawn.current.scrollTop = box.current.scrollTop;
  }
  function write(next: string, at: number) {
    nextCaret.current = at;
    setText(next);
    setCaret(at);
    setChosen(undefined);
    setTold(false);
    setSettled(false);
  }
  function apply(filter: string) {
    setOpen(false);
    setChosen(undefined);
    if (check(filter, entity, names)) {
      setTold(true);
      return;
    }
    const trimmed = filter.trim();
    setTold(false);
    setText(trimmed);
    setCaret(trimmed.length);
    onApply(trimmed);
  }
  function onTake(item: Completion) {
    if (item.kind === "name") {
      apply(item.text);
      return;
    }
    const next = take(text, item);
    write(next.text, next.caret);
    setOpen(true);
    box.current?.focus();
  }
  function fixed(next: string, at: number) {
    write(next, at);
    // What else is wrong is told at once.
    setTold(true);
    box.current?.focus();
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      const item = isListOpen && active !== undefined && !event.ctrlKey && !event.metaKey ? items[active] : undefined;
      if (item) onTake(item);
      else apply(words ? words.text : text);
    } else if (event.key === "Tab" && !event.shiftKey && isListOpen && active !== undefined) {
      event.preventDefault();
      // Enter looks for the words as a name; Tab writes on, with the field that they may begin.
      const isWords = chosen === undefined && items[active]?.kind === "name";
      onTake(items[isWords ? active + 1 : active] ?? items[active]!);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (items.length === 0) return;
      event.preventDefault();
      if (!isOpen) setOpen(true);
      else {
        const step = event.key === "ArrowDown" ? 1 : -1;
        const from = active ?? (step > 0 ? -1 : 0);
        setChosen((from + step + items.length) % items.length);
      }
    } else if (event.key === "Escape" && isListOpen) {
      event.stopPropagation();
      event.preventDefault();
      setOpen(false);
    }
  }

  return (
    <div className="filter-box">
      <div className={`filter-box-frame ${told || refusal ? "invalid" : ""}`}>
        <ListFilter size={15} aria-hidden className="filter-box-icon" />
        <div className="filter-box-field">
          <div ref={drawn} className="filter-box-drawn" aria-hidden>
            <FilterText text={text} wrong={wrong} />
          </div>
          <textarea
            ref={box}
            rows={1}
            aria-label={t.filter.label}
            aria-autocomplete="list"
            aria-haspopup="listbox"
            aria-controls={isListOpen ? `${id}-list` : undefined}
            aria-activedescendant={isListOpen && active !== undefined ? optionId(`${id}-list`, active) : undefined}
            aria-invalid={told || refusal ? true : undefined}
            aria-describedby={told || refusal ? `${id}-problem` : undefined}
            placeholder={t.filter.placeholder[entity]}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            value={text}
            onChange={(event) => {
              // A filter is one line; what is pasted may be more.
              write(event.target.value.replace(/\s*\n\s*/g, " "), event.target.selectionStart);
              setOpen(true);
            }}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
            onClick={() => text === "" && setOpen(true)}
            onScroll={follow}
            onKeyDown={onKeyDown}
            onBlur={() => {
              setOpen(false);
              setChosen(undefined);
              if (text !== value) setTold(true);
            }}
          />
        </div>
        {text.trim() !== value && (
          <IconButton
            label={t.filter.apply}
            className="filter-box-button"
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => apply(words ? words.text : text)}
          >
            <CornerDownLeft size={14} />
          </IconButton>
        )}
        {text !== "" && (
          <IconButton
            label={t.filter.clear}
            className="filter-box-button"
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => {
              apply("");
              box.current?.focus();
            }}
          >
            <X size={14} />
          </IconButton>
        )}
        {text === "" && (
          <kbd className="filter-box-slash" aria-hidden>
            /
          </kbd>
        )}
        <FilterHelp
          examples={examplesOf(entity, names)}
          onChoose={(example) => {
            write(example, example.length);
            box.current?.focus();
          }}
        />
      </div>
      {isListOpen && (
        <Suggestions id={`${id}-list`} items={items} active={isListOpen ? active : undefined} onTake={onTake} />
      )}
      {isOpen && wantsNumber && <div className="filter-list filter-hint muted">{t.filter.wantsNumber}</div>}
      <span className="visually-hidden" role="status">
        {isListOpen ? t.filter.suggestionCount(items.length) : ""}
      </span>
      {(told || refusal) && !isListOpen && (
        <div id={`${id}-problem`} className="filter-box-problem" role="alert">
          <CircleAlert size={14} aria-hidden />
          <span>
            {told ? tellProblem(t, told) : briefly(refusal!.message)}
            {told?.fix && <Fix text={text} fix={told.fix} onFix={fixed} />}
          </span>
        </div>
      )}
    </div>
  );
}

interface FixProps {
  text: string;
  fix: NonNullable<Problem["fix"]>;
  onFix: (text: string, caret: number) => void;
}

function Fix({ text, fix, onFix }: FixProps) {
  const t = useStrings();
  return (
    <button
      type="button"
      className="filter-box-fix mono"
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => {
        const next = take(text, fix);
        onFix(next.text, next.caret);
      }}
    >
      {t.filter.fix(fix.text)}
    </button>
  );
}

/** What is told of a problem now: nothing of what is just being written, unless the reader was done with it. */
function shownProblem(
  problem: Problem | undefined,
  caret: number,
  isOpen: boolean,
  isTold: boolean,
  isSettled: boolean,
): Problem | undefined {
  if (!problem || isTold) return problem;
  if (problem.isUnfinished || !isOpen) return undefined;
  return isSettled || caret < problem.from || (caret > problem.to && problem.code !== "unclosedQuote")
    ? problem
    : undefined;
}

function tellProblem(t: ReturnType<typeof useStrings>, problem: Problem): string {
  const { got, field } = problem;
  // Where it is known what was meant, all that would do is not told.
  const options = problem.fix ? undefined : problem.options;
  const what = t.filter.problem[problem.code]?.({ got, field, options }) ?? problem.code;
  return `${what.replace(/\.$/, "")}, ${t.filter.atCharacter(problem.from + 1)}.`;
}

function isEditable(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
