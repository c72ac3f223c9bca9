import { useInfiniteQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { registeredModelsQuery } from "../../api/models";
import { Problem } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { quoted } from "../../lib/models/filter";
import { latestVersion } from "../../lib/models/summary";
import "./ModelPicker.css";

interface ModelPickerProps {
  /** The name of the model that is chosen; empty while there is none. */
  name: string;
  onChange: (name: string) => void;
}

const SHOWN_MODELS = 20;

/** A registered model, found by typing a part of its name: arrows move, Enter chooses. */
export function ModelPicker({ name, onChange }: ModelPickerProps) {
  const t = useStrings();
  const id = useId();
  const [text, setText] = useState(name);
  const [isOpen, setOpen] = useState(false);
  const [current, setCurrent] = useState(0);
  // While the field shows what was chosen, the list is of all models again.
  const typed = text === name ? "" : text.trim();
  const filter = typed === "" ? undefined : `name ILIKE ${quoted(`%${typed}%`)}`;
  const found = useInfiniteQuery({
    ...registeredModelsQuery(filter, "name ASC", SHOWN_MODELS),
    placeholderData: (previous) => previous,
  });
  const models = found.data?.pages[0]?.registered_models ?? [];
  const at = Math.min(current, models.length - 1);

  useEffect(() => {
    if (isOpen) document.getElementById(`${id}-${at}`)?.scrollIntoView?.({ block: "nearest" });
  }, [isOpen, at, id]);

  function choose(chosen: string) {
    setText(chosen);
    setOpen(false);
    onChange(chosen);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) setOpen(true);
      else if (models.length > 0)
        setCurrent((at + (event.key === "ArrowDown" ? 1 : models.length - 1)) % models.length);
    } else if (event.key === "Enter" && isOpen && models[at]) {
      event.preventDefault();
      choose(models[at].name);
    } else if (event.key === "Escape" && isOpen) {
      // The dialog around it stays open.
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    }
  }

  return (
    <div className="field model-picker">
      <label htmlFor={id}>{t.models.existingModel}</label>
      <input
        id={id}
        className="input"
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && models.length > 0 ? `${id}-${at}` : undefined}
        autoComplete="off"
        autoFocus
        placeholder={t.models.findModel}
        value={text}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setText(event.target.value);
          setCurrent(0);
          setOpen(true);
          // A name that was typed in full is chosen as well as one that was picked.
          const exact = models.find((model) => model.name === event.target.value);
          onChange(exact?.name ?? "");
        }}
      />
      <ul
        id={`${id}-list`}
        role="listbox"
        aria-label={t.models.existingModel}
        className="model-picker-list"
        hidden={!isOpen}
      >
        {models.map((model, index) => {
          const latest = latestVersion(model);
          return (
            // Its keys are those of the field that has the focus.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <li
              key={model.name}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at}
              className="model-picker-option"
              // The field keeps the focus.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => choose(model.name)}
            >
              <span className="truncate">{model.name}</span>
              <span className="muted nowrap">{latest ? t.models.versionNumber(latest) : t.models.noVersions}</span>
            </li>
          );
        })}
      </ul>
      {isOpen && found.isSuccess && models.length === 0 && <p className="help">{t.models.noModelFound}</p>}
      {found.error && <Problem error={found.error} onRetry={found.refetch} />}
    </div>
  );
}
