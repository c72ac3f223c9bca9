import { Link } from "@tanstack/react-router";
import { Ellipsis, Info, Pencil, Trash2 } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef } from "react";
import type { Experiment, ExperimentSummary } from "../../api/schema";
import { Menu, MenuItem } from "../../components/Menu";
import { isOwnTag, Tags } from "../../components/Tags";
import { Since } from "../../components/Text";
import { useStrings } from "../../i18n";

const NOTE_TAG = "mlflow.note.content";

interface ExperimentsTableProps {
  experiments: Experiment[];
  summaries: ReadonlyMap<string, ExperimentSummary>;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  onRename: (experiment: Experiment) => void;
  onInformation: (experimentId: string) => void;
  onDelete: (experimentId: string) => void;
}

/** Experiments with what happens in them. The arrow keys, j and k go from name to name; x selects. */
export function ExperimentsTable(props: ExperimentsTableProps) {
  const { experiments, summaries, selected, onSelect } = props;
  const t = useStrings();
  const ids = experiments.map(({ experiment_id }) => experiment_id);
  const isAll = ids.every((id) => selected.has(id));
  const body = useRef<HTMLTableSectionElement>(null);
  // Where nothing has the focus, j and k begin at the first name and at the last.
  useEffect(() => {
    const begin = (event: globalThis.KeyboardEvent) => {
      if (!["j", "k"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
      const { activeElement } = document;
      if (activeElement !== document.body && activeElement?.id !== "content") return;
      const links = [...(body.current?.querySelectorAll<HTMLElement>(".experiments-name a") ?? [])];
      links.at(event.key === "j" ? 0 : -1)?.focus();
    };
    document.addEventListener("keydown", begin);
    return () => document.removeEventListener("keydown", begin);
  }, []);
  function toggle(experimentId: string) {
    const next = new Set(selected);
    if (!next.delete(experimentId)) next.add(experimentId);
    onSelect(next);
  }
  function onKeyDown(event: KeyboardEvent<HTMLTableSectionElement>) {
    const row = (event.target as HTMLElement).closest("tr");
    if (row === null || !(event.target instanceof HTMLAnchorElement)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (step !== undefined) {
      const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
      next?.querySelector("a")?.focus();
    } else if (event.key === "x") {
      toggle(row.dataset.id ?? "");
    } else return;
    event.preventDefault();
  }
  return (
    <div className="card table-scroll" tabIndex={0} role="region" aria-label={t.experiments.title}>
      <table className="plain-table experiments-table">
        <thead>
          <tr>
            <th scope="col">
              <input
                type="checkbox"
                aria-label={t.experiments.selectAll}
                checked={isAll}
                onChange={() => onSelect(isAll ? new Set() : new Set(ids))}
              />
            </th>
            <th scope="col">{t.common.name}</th>
            <th scope="col" className="numeric">
              {t.experiments.runs}
            </th>
            <th scope="col">{t.experiments.lastActivity}</th>
            <th scope="col">{t.common.created}</th>
            <th scope="col">{t.common.tags}</th>
            <th scope="col">
              <span className="visually-hidden">{t.common.more}</span>
            </th>
          </tr>
        </thead>
        {/* The keys are those of the links in it. */}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
        <tbody ref={body} onKeyDown={onKeyDown}>
          {experiments.map((experiment) => {
            const { experiment_id: id, name } = experiment;
            const summary = summaries.get(id);
            const note = experiment.tags?.find(({ key }) => key === NOTE_TAG)?.value;
            return (
              <tr key={id} data-id={id}>
                <td>
                  <input
                    type="checkbox"
                    aria-label={t.experiments.select(name)}
                    checked={selected.has(id)}
                    onChange={() => toggle(id)}
                  />
                </td>
                <td>
                  <div className="experiments-name">
                    <Link to="/experiments/$experimentIds" params={{ experimentIds: id }} search={{}}>
                      {name}
                    </Link>
                    {note && <span className="experiments-note">{firstLine(note)}</span>}
                  </div>
                </td>
                <td className="numeric">
                  {summary && t.experiments.runCount(summary.run_count)}
                  {summary !== undefined && summary.running_count > 0 && (
                    <div className="experiments-running nowrap">{t.experiments.running(summary.running_count)}</div>
                  )}
                </td>
                <td>
                  <Since timeMs={summary?.last_activity_time} />
                </td>
                <td>
                  <Since timeMs={experiment.creation_time} />
                </td>
                <td>{experiment.tags?.some(({ key }) => !isOwnTag(key)) && <Tags tags={experiment.tags} />}</td>
                <td>
                  <Menu
                    align="end"
                    label={t.experiments.actions(name)}
                    button={<Ellipsis size={16} />}
                    buttonClass="icon-button"
                  >
                    <MenuItem icon={<Info size={14} />} onSelect={() => props.onInformation(id)}>
                      {t.experiments.information}
                    </MenuItem>
                    <MenuItem icon={<Pencil size={14} />} onSelect={() => props.onRename(experiment)}>
                      {t.experiments.rename}
                    </MenuItem>
                    <MenuItem danger icon={<Trash2 size={14} />} onSelect={() => props.onDelete(id)}>
                      {t.common.delete}
                    </MenuItem>
                  </Menu>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** A description's first line, without the marks of a heading. */
function firstLine(note: string): string {
  return (note.split("\n").find((line) => line.trim() !== "") ?? "").replace(/^#+\s*/, "").slice(0, 200);
}
