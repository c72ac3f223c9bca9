import type { Run } from "../../api/schema";
import { useStrings } from "../../i18n";
import { LongText } from "./LongText";

const CONTEXT_TAG = "mlflow.data.context";

/** The datasets that a run read. */
export function Datasets({ run }: { run: Run }) {
  const t = useStrings();
  const inputs = run.inputs.dataset_inputs ?? [];
  if (inputs.length === 0) return null;
  return (
    <section className="card run-section">
      <h2>{t.run.datasets}</h2>
      {inputs.map(({ dataset, tags }, at) => {
        const context = (tags ?? []).find(({ key }) => key === CONTEXT_TAG)?.value;
        return (
          <details key={at}>
            <summary>
              <b>{dataset.name}</b> <span className="mono muted">{dataset.digest}</span>{" "}
              {context && <span className="chip">{context}</span>}
            </summary>
            <dl className="run-facts">
              <dt>{t.run.datasetSource}</dt>
              <dd>
                <LongText text={`${dataset.source_type} ${dataset.source}`} />
              </dd>
              {dataset.schema && (
                <>
                  <dt>{t.run.datasetSchema}</dt>
                  <dd>
                    <LongText text={dataset.schema} />
                  </dd>
                </>
              )}
              {dataset.profile && (
                <>
                  <dt>{t.run.datasetProfile}</dt>
                  <dd>
                    <LongText text={dataset.profile} />
                  </dd>
                </>
              )}
            </dl>
          </details>
        );
      })}
    </section>
  );
}
