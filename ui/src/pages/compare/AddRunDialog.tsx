import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Check, Plus } from "lucide-react";
import { useId, useState } from "react";
import { api, ask } from "../../api/client";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Loading, Problem } from "../../components/Problem";
import { RunStatus, Since } from "../../components/Text";
import { useStrings } from "../../i18n";
import "./AddRunDialog.css";

const MAX_FOUND = 20;

interface AddRunDialogProps {
  /** The ids of the runs that are compared already. */
  compared: string[];
  onAdd: (runId: string) => void;
  onClose: () => void;
}

/** Find runs by their names, and add them one after the other. */
export function AddRunDialog({ compared, onAdd, onClose }: AddRunDialogProps) {
  const t = useStrings();
  const id = useId();
  const [text, setText] = useState("");
  const found = useQuery({
    queryKey: ["find-runs", text.trim(), MAX_FOUND],
    queryFn: ({ signal }) => {
      const query = { text: text.trim(), max_results: MAX_FOUND };
      return ask(api.GET("/api/1.0/runyard/runs/find", { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
  });
  const runs = found.data?.runs ?? [];
  return (
    <Dialog title={t.compare.addRun} onClose={onClose}>
      <div className="stack">
        <div className="field">
          <label htmlFor={id}>{t.compare.findRun}</label>
          <input
            id={id}
            type="search"
            className="input"
            autoComplete="off"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <span className="help">{t.compare.findHelp}</span>
        </div>
        {found.error && <Problem error={found.error} onRetry={() => void found.refetch()} />}
        {found.isPending && <Loading lines={3} />}
        {found.isSuccess && runs.length === 0 && <p className="muted">{t.compare.noRunFound}</p>}
        <ul className="add-run-list">
          {runs.map((run) => (
            <li key={run.run_id} className="row">
              <span className="add-run-name">
                <span className="truncate">{run.run_name || run.run_id}</span>
                <span className="muted row">
                  <RunStatus status={run.status} iconOnly />
                  <span className="truncate">{run.experiment_name}</span>
                  <Since timeMs={run.start_time} />
                </span>
              </span>
              {compared.includes(run.run_id) ? (
                <span className="muted row nowrap">
                  <Check size={14} aria-hidden /> {t.compare.isCompared}
                </span>
              ) : (
                <Button aria-label={t.compare.add(run.run_name || run.run_id)} onClick={() => onAdd(run.run_id)}>
                  <Plus size={14} aria-hidden />
                </Button>
              )}
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
