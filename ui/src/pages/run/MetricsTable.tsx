import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ask } from "../../api/client";
import type { MetricSummary, Run } from "../../api/schema";
import { useStrings } from "../../i18n";
import { formatNumber, toNumber, type WireNumber } from "../../lib/format";

const MAX_SHOWN = 500;

/** The metrics of a run: the last value of each, its extremes and the steps where they were reached. */
export function MetricsTable({ run }: { run: Run }) {
  const t = useStrings();
  const navigate = useNavigate({ from: "/experiments/$experimentId/runs/$runId" });
  const [words, setWords] = useState("");
  // Those of the machine have a tab of their own.
  const metrics = (run.data.metrics ?? []).filter(({ key }) => !key.startsWith("system/"));
  const wanted = words.trim().toLowerCase();
  const found = metrics.filter(({ key }) => key.toLowerCase().includes(wanted));
  const shown = found.slice(0, MAX_SHOWN);
  const keys = shown.map(({ key }) => key);
  const last = metrics.map(({ key, step, timestamp }) => `${key} ${step} ${timestamp}`).join("\n");
  const summaries = useQuery({
    queryKey: ["metric-summaries", run.info.run_id, keys, last],
    queryFn: async ({ signal }) => {
      const body = { run_id: run.info.run_id, metric_keys: keys };
      const answer = await ask(api.POST("/api/1.0/runyard/metrics/summaries", { body, signal }));
      return new Map(answer.metrics.map((summary) => [summary.key, summary]));
    },
    enabled: keys.length > 0,
    placeholderData: keepPreviousData,
  });
  return (
    <section className="card run-section">
      <header>
        <h2>{t.run.metrics}</h2>
        <span className="muted">{metrics.length}</span>
        <span className="spacer" />
        {metrics.length > 0 && (
          <input
            type="search"
            className="input"
            placeholder={t.run.searchMetrics}
            aria-label={t.run.searchMetrics}
            value={words}
            onChange={(event) => setWords(event.target.value)}
          />
        )}
      </header>
      {metrics.length === 0 && <p className="muted">{t.run.noMetrics}</p>}
      {metrics.length > 0 && shown.length === 0 && <p className="muted">{t.run.nothingFound}</p>}
      {found.length > shown.length && <p className="muted">{t.run.firstShown(shown.length, found.length)}</p>}
      {shown.length > 0 && (
        <div className="run-values" tabIndex={0} role="region" aria-label={t.run.metrics}>
          <table className="plain-table">
            <thead>
              <tr>
                <th scope="col">{t.run.metric}</th>
                <th scope="col" className="numeric">
                  {t.run.last}
                </th>
                <th scope="col" className="numeric">
                  {t.run.minimum}
                </th>
                <th scope="col" className="numeric">
                  {t.run.maximum}
                </th>
                <th scope="col" className="numeric">
                  {t.run.points}
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ key, value, step }) => (
                <MetricRow
                  key={key}
                  name={key}
                  last={value}
                  lastStep={step}
                  summary={summaries.data?.get(key)}
                  onOpen={() =>
                    navigate({
                      search: (previous) => ({
                        ...previous,
                        tab: "metrics",
                        charts: { version: 1, ...previous.charts, search: key },
                      }),
                    })
                  }
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface MetricRowProps {
  name: string;
  last: WireNumber;
  lastStep: number;
  summary: MetricSummary | undefined;
  onOpen: () => void;
}

function MetricRow({ name, last, lastStep, summary, onOpen }: MetricRowProps) {
  return (
    <tr>
      <td>
        <button type="button" className="run-link run-value" onClick={onOpen}>
          {name}
        </button>
      </td>
      <Value value={last} step={lastStep} />
      <Value value={summary?.minimum} step={summary?.minimum_step} />
      <Value value={summary?.maximum} step={summary?.maximum_step} />
      <td className="numeric">{summary?.count.toLocaleString()}</td>
    </tr>
  );
}

function Value({ value, step }: { value: WireNumber | null | undefined; step: number | null | undefined }) {
  const t = useStrings();
  const isOdd = value !== null && value !== undefined && !Number.isFinite(toNumber(value));
  return (
    <td className="numeric" title={value === null ? undefined : String(value ?? "")}>
      <span className={isOdd ? "run-odd" : ""}>{formatNumber(value)}</span>
      {step !== null && step !== undefined && <span className="run-step">{t.run.atStep(step)}</span>}
    </td>
  );
}
