import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { runQuery } from "../../api/runs";
import type { Run } from "../../api/schema";
import { CopyButton, RunStatus, Time } from "../../components/Text";
import { useStrings } from "../../i18n";
import { formatDuration } from "../../lib/format";
import { commitLink } from "../../lib/gitLinks";
import { durationOf, factsOf } from "../../lib/runFacts";

const SHORT_COMMIT = 10;

/** Who ran what, when, from which code, and where it keeps its files. */
export function Facts({ run }: { run: Run }) {
  const t = useStrings();
  const facts = factsOf(run);
  const { info } = run;
  const link = commitLink(facts.repository, facts.commit);
  return (
    <section className="card run-section">
      <h2>{t.run.facts}</h2>
      <dl className="run-facts">
        <Fact name={t.common.status}>
          <RunStatus status={info.status} />
        </Fact>
        <Fact name={t.run.started}>
          <Time timeMs={info.start_time} />
        </Fact>
        {info.end_time && (
          <Fact name={t.run.ended}>
            <Time timeMs={info.end_time} />
          </Fact>
        )}
        <Fact name={t.run.duration}>
          <Duration run={run} />
        </Fact>
        {facts.user && <Fact name={t.run.user}>{facts.user}</Fact>}
        {facts.source && (
          <Fact name={t.run.source}>
            <span className="truncate" title={facts.source}>
              {facts.source}
            </span>
            {facts.sourceType && <span className="muted">{facts.sourceType}</span>}
          </Fact>
        )}
        {facts.commit && (
          <Fact name={t.run.commit}>
            {link ? (
              <a className="mono" href={link} target="_blank" rel="noopener noreferrer">
                {facts.commit.slice(0, SHORT_COMMIT)}
              </a>
            ) : (
              <span className="mono">{facts.commit.slice(0, SHORT_COMMIT)}</span>
            )}
            <CopyButton text={facts.commit} what={t.run.commit} />
          </Fact>
        )}
        {facts.branch && <Fact name={t.run.branch}>{facts.branch}</Fact>}
        {facts.parentRunId && (
          <Fact name={t.run.parent}>
            <ParentLink runId={facts.parentRunId} />
          </Fact>
        )}
        <Fact name={t.run.runId}>
          <span className="mono truncate" title={info.run_id}>
            {info.run_id}
          </span>
          <CopyButton text={info.run_id} what={t.run.runId} />
        </Fact>
        <Fact name={t.run.experimentId}>
          <span className="mono">{info.experiment_id}</span>
        </Fact>
        <Fact name={t.run.artifactLocation}>
          <span className="mono truncate" title={info.artifact_uri}>
            {info.artifact_uri}
          </span>
          <CopyButton text={info.artifact_uri} what={t.run.artifactLocation} />
        </Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Grows by itself while the run goes on. */
function Duration({ run }: { run: Run }) {
  const [now, setNow] = useState(() => Date.now());
  const isOver = run.info.end_time !== undefined && run.info.end_time !== null;
  useEffect(() => {
    if (isOver) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isOver]);
  const duration = durationOf(run, now);
  return duration === undefined ? null : <span>{formatDuration(duration)}</span>;
}

function ParentLink({ runId }: { runId: string }) {
  const parent = useQuery(runQuery(runId));
  if (!parent.data) return <span className="mono truncate">{runId}</span>;
  return (
    <Link
      to="/experiments/$experimentId/runs/$runId"
      params={{ experimentId: parent.data.info.experiment_id, runId }}
      search={{}}
    >
      {parent.data.info.run_name || runId}
    </Link>
  );
}
