import type { Run } from "../../api/schema";
import { EditableMarkdown } from "../../components/Markdown";
import { Tags } from "../../components/Tags";
import { useStrings } from "../../i18n";
import { factsOf, NOTE_TAG } from "../../lib/runFacts";
import { useRunChanges } from "./changes";
import { ChildRuns } from "./ChildRuns";
import { Datasets } from "./Datasets";
import { Facts } from "./Facts";
import { MetricsTable } from "./MetricsTable";
import { ParamsTable } from "./ParamsTable";
import { RunModels } from "./RunModels";

/** What a run is: its values at the left, where it came from at the right. */
export function RunOverview({ run }: { run: Run }) {
  const t = useStrings();
  const changes = useRunChanges(run.info.run_id);
  const canChange = run.info.lifecycle_stage === "active";
  return (
    <div className="page run-overview">
      <div>
        <section className="card run-section" aria-label={t.common.description}>
          <EditableMarkdown
            text={factsOf(run).note}
            onSave={canChange ? (text) => changes.setTag(NOTE_TAG, text) : undefined}
          />
        </section>
        <MetricsTable run={run} />
        <ParamsTable run={run} />
        <ChildRuns run={run} />
      </div>
      <div>
        <Facts run={run} />
        <section className="card run-section">
          <h2>{t.common.tags}</h2>
          <Tags
            tags={run.data.tags ?? []}
            onSet={canChange ? changes.setTag : undefined}
            onRemove={canChange ? changes.removeTag : undefined}
          />
        </section>
        <RunModels run={run} />
        <Datasets run={run} />
      </div>
    </div>
  );
}
