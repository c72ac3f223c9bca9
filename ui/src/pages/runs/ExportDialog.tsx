import { useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState } from "react";
import { experimentQuery } from "../../api/experiments";
import { runColumnsQuery } from "../../api/runs";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Problem } from "../../components/Problem";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { countRuns, download, type ExportFormat, type ExportScope, exportRuns, fileName } from "../../lib/exportRuns";
import { ATTRIBUTES } from "../../lib/runs/columns";
import "./ExportDialog.css";

interface ExportDialogProps {
  scope: ExportScope;
  /** The columns of the table, in their order. */
  columns: string[];
  onClose: () => void;
}

/** All runs that match, not only those that are shown, as a file. */
export function ExportDialog({ scope, columns, onClose }: ExportDialogProps) {
  const t = useStrings();
  const id = useId();
  const [format, setFormat] = useState<ExportFormat>("csv");
  const [isAll, setAll] = useState(false);
  const [readCount, setReadCount] = useState<number>();
  const [error, setError] = useState<Error>();
  const controller = useRef<AbortController>(undefined);
  const experiments = useQueries({ queries: scope.experimentIds.map(experimentQuery) });
  const known = useQuery(runColumnsQuery(scope.experimentIds));
  const total = useQuery({
    queryKey: ["run-count", scope],
    queryFn: ({ signal }) => countRuns(scope, signal),
  });
  const all = known.data && [
    ...ATTRIBUTES.map((name) => `attributes.${name}`),
    ...known.data.metrics.map((name) => `metrics.${name}`),
    ...known.data.params.map((name) => `params.${name}`),
    ...known.data.tags.map((name) => `tags.${name}`),
  ];
  const isBusy = readCount !== undefined;

  useEffect(() => () => controller.current?.abort(), []);

  async function start() {
    const { signal } = (controller.current = new AbortController());
    const name =
      experiments.length === 1
        ? (experiments[0]?.data?.name ?? scope.experimentIds[0]!)
        : t.runActions.severalExperiments(experiments.length);
    let count = 0;
    setError(undefined);
    setReadCount(0);
    try {
      const file = await exportRuns(scope, isAll && all ? all : columns, format, {
        signal,
        onProgress(next) {
          count = next;
          setReadCount(next);
        },
      });
      if (signal.aborted) return;
      download(file, fileName(name, format));
      showToast(t.runActions.exportDone(fileName(name, format), count));
      onClose();
    } catch (failure) {
      if (!signal.aborted) setError(failure as Error);
    } finally {
      setReadCount(undefined);
    }
  }

  return (
    <Dialog
      title={t.runActions.exportTitle}
      onClose={onClose}
      actions={
        <>
          <span className="spacer" />
          <Button onClick={isBusy ? () => controller.current?.abort() : onClose}>{t.common.cancel}</Button>
          <Button kind="primary" disabled={isBusy || !total.data || (isAll && !all)} onClick={start}>
            {t.runActions.exportButton}
          </Button>
        </>
      }
    >
      <div className="stack">
        <fieldset className="export-choice" disabled={isBusy}>
          <legend>{t.runActions.format}</legend>
          {(["csv", "parquet"] as const).map((each) => (
            <div key={each}>
              <label className="checkbox">
                <input
                  type="radio"
                  name={`${id}-format`}
                  checked={format === each}
                  aria-describedby={`${id}-${each}`}
                  onChange={() => setFormat(each)}
                />
                {t.runActions[each]}
              </label>
              <p id={`${id}-${each}`} className="muted">
                {each === "csv" ? t.runActions.csvHelp : t.runActions.parquetHelp}
              </p>
            </div>
          ))}
        </fieldset>
        <fieldset className="export-choice" disabled={isBusy}>
          <legend>{t.runActions.exportColumns}</legend>
          <label className="checkbox">
            <input type="radio" name={`${id}-columns`} checked={!isAll} onChange={() => setAll(false)} />
            {t.runActions.columnsShown(columns.length)}
          </label>
          <label className="checkbox">
            <input type="radio" name={`${id}-columns`} checked={isAll} onChange={() => setAll(true)} />
            {t.runActions.columnsAll(all?.length)}
          </label>
        </fieldset>
        {isBusy ? (
          <div className="export-progress">
            <label htmlFor={`${id}-progress`}>
              {total.data !== undefined && readCount >= total.data
                ? t.runActions.exportWriting
                : t.runActions.exportProgress(readCount, total.data ?? readCount)}
            </label>
            <progress id={`${id}-progress`} value={readCount} max={Math.max(1, total.data ?? 1)} />
          </div>
        ) : (
          !total.error && (
            <p role="status">
              {total.data === undefined
                ? t.runActions.counting
                : total.data === 0
                  ? t.runActions.exportNothing
                  : t.runActions.exportCount(total.data)}
            </p>
          )
        )}
        {total.error && <Problem error={total.error} onRetry={() => void total.refetch()} />}
        {isAll && known.error && <Problem error={known.error} onRetry={() => void known.refetch()} />}
        {error && <Problem error={error} />}
      </div>
    </Dialog>
  );
}
