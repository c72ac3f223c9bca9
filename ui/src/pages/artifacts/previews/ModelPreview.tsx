import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { artifactUrl, modelUri, readHead } from "../../../api/artifacts";
import { Tabs } from "../../../components/Tabs";
import { useStrings } from "../../../i18n";
import { parentOf } from "../../../lib/artifacts/kind";
import { readModelFile, type SignatureColumn } from "../../../lib/artifacts/mlmodel";
import { curlSnippet, pythonSnippet, sparkSnippet } from "../../../lib/artifacts/snippets";
import { formatSize } from "../../../lib/format";
import { Snippet } from "../../../components/Snippet";
import type { PreviewProps } from "../FileView";
import { Code } from "./Code";
import { useHead } from "./useHead";

const REQUIREMENTS_BYTES = 64 * 1024;

/** A model by its MLmodel file: what it takes and gives, what it needs, and how to use it. */
export default function ModelPreview({ source, path, url }: PreviewProps) {
  const t = useStrings();
  const [language, setLanguage] = useState<"python" | "curl" | "spark">("python");
  const { text, isReady, note } = useHead(url);
  const folder = parentOf(path);
  const requirementsUrl = artifactUrl(source, folder === "" ? "requirements.txt" : `${folder}/requirements.txt`);
  const requirements = useQuery({
    queryKey: ["artifact-requirements", requirementsUrl],
    queryFn: async ({ signal }) => {
      const head = await readHead(requirementsUrl, REQUIREMENTS_BYTES, signal);
      return new TextDecoder().decode(head.bytes);
    },
    retry: false,
  });
  if (!isReady) return note;
  const model = readModelFile(text);
  const uri = modelUri(source, folder);
  const snippets = {
    python: pythonSnippet(uri, model.inputs),
    curl: curlSnippet(model.inputs),
    spark: sparkSnippet(uri, model.inputs),
  };
  const facts: [string, string | undefined][] = [
    [t.artifacts.flavors, model.flavors.join(", ")],
    [t.artifacts.mlflowVersion, model.mlflowVersion],
    [t.artifacts.created, model.created],
    [t.artifacts.size, model.sizeBytes === undefined ? undefined : formatSize(model.sizeBytes)],
  ];
  return (
    <div className="stack">
      <dl className="artifact-facts">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {model.inputs.length + model.outputs.length === 0 && <p className="muted">{t.artifacts.noSignature}</p>}
      <Columns title={t.artifacts.inputs} columns={model.inputs} />
      <Columns title={t.artifacts.outputs} columns={model.outputs} />
      <Columns title={t.artifacts.params} columns={model.params} />
      <section className="card artifact-use" aria-label={t.artifacts.useIt}>
        <Tabs
          label={t.artifacts.useIt}
          tabs={[
            { name: "python", label: t.artifacts.python },
            { name: "curl", label: t.artifacts.curl },
            { name: "spark", label: t.artifacts.spark },
          ]}
          current={language}
          onChange={setLanguage}
        >
          <div className="stack artifact-paper">
            {language === "curl" && (
              <p className="muted">
                {t.artifacts.curlNote} <code>{uri}</code>
              </p>
            )}
            <Snippet code={snippets[language]} />
          </div>
        </Tabs>
      </section>
      {requirements.data && (
        <details>
          <summary>{t.artifacts.requirements}</summary>
          <Code text={requirements.data} />
        </details>
      )}
      <details>
        <summary>{t.artifacts.modelFile}</summary>
        <Code text={text} language="yaml" hasLineNumbers />
      </details>
      {note}
    </div>
  );
}

function Columns({ title, columns }: { title: string; columns: (SignatureColumn & { default?: string })[] }) {
  const t = useStrings();
  if (columns.length === 0) return null;
  return (
    <div className="table-scroll">
      <table className="plain-table">
        <caption className="artifact-caption">
          {title} <span className="muted">{columns.length}</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">{t.artifacts.column}</th>
            <th scope="col">{t.artifacts.type}</th>
            <th scope="col">{columns[0]?.default === undefined ? t.artifacts.required : t.artifacts.defaultValue}</th>
          </tr>
        </thead>
        <tbody>
          {columns.map((column, at) => (
            <tr key={at}>
              <td>{column.name ?? <span className="muted">{at}</span>}</td>
              <td className="mono">{column.type}</td>
              <td>{column.default ?? (column.isRequired ? t.artifacts.yes : t.artifacts.no)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
