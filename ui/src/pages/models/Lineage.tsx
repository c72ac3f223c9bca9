import { Link } from "@tanstack/react-router";
import { ArrowRight, Boxes, Database, FlaskConical, Package } from "lucide-react";
import { useStrings } from "../../i18n";
import type { LineageNode } from "../../lib/models/lineage";
import "./Lineage.css";

const SHORT_ID_LENGTH = 8;
const ICONS = { dataset: Database, run: FlaskConical, "logged-model": Package, version: Boxes };

/** What led to a version, as boxes with arrows between them: a list in its order to those who do not see them. */
export function Lineage({ steps, label }: { steps: LineageNode[][]; label: string }) {
  const t = useStrings();
  return (
    <ol className="lineage" aria-label={label}>
      {steps.map((nodes, index) => (
        <li key={index}>
          {index > 0 && (
            <span className="lineage-arrow" role="img" aria-label={t.models.leadsTo}>
              <ArrowRight size={16} aria-hidden />
            </span>
          )}
          <div className="lineage-step">
            {nodes.map((node) => (
              <Box key={keyOf(node)} node={node} />
            ))}
          </div>
        </li>
      ))}
    </ol>
  );
}

function Box({ node }: { node: LineageNode }) {
  const t = useStrings();
  const Icon = ICONS[node.kind];
  const kinds = {
    dataset: t.models.dataset,
    run: t.models.run,
    "logged-model": t.models.loggedModel,
    version: t.models.registeredVersion,
  };
  return (
    <div className={`lineage-box ${node.kind === "version" && node.isThis ? "this" : ""}`}>
      <div className="lineage-kind">
        <Icon size={13} aria-hidden /> {kinds[node.kind]}
      </div>
      <div className="lineage-name">
        <NodeName node={node} />
      </div>
      {node.kind === "dataset" && (
        <div className="muted lineage-detail">
          {t.models.digest(node.digest)}
          {node.contexts.length > 0 && ` · ${node.contexts.join(", ")}`}
        </div>
      )}
    </div>
  );
}

function NodeName({ node }: { node: LineageNode }) {
  const t = useStrings();
  if (node.kind === "dataset") return <span>{node.name}</span>;
  if (node.kind === "version") {
    const { name, version } = node;
    const text = `${name} ${version}`;
    if (node.isThis) return <span aria-current="true">{text}</span>;
    return (
      <Link to="/models/$name/versions/$version" params={{ name, version }}>
        {text}
      </Link>
    );
  }
  const id = node.kind === "run" ? node.runId : node.modelId;
  const shown = node.name || id.slice(0, SHORT_ID_LENGTH);
  if (node.experimentId === undefined) return <span title={id}>{shown}</span>;
  if (node.kind === "run") {
    const params = { experimentId: node.experimentId, runId: node.runId };
    return (
      <Link to="/experiments/$experimentId/runs/$runId" params={params} title={t.models.sourceRun}>
        {shown}
      </Link>
    );
  }
  const params = { experimentId: node.experimentId, modelId: node.modelId };
  return (
    <Link to="/experiments/$experimentId/models/$modelId" params={params}>
      {shown}
    </Link>
  );
}

function keyOf(node: LineageNode): string {
  if (node.kind === "dataset") return `dataset ${node.name} ${node.digest}`;
  if (node.kind === "version") return `version ${node.name} ${node.version}`;
  return node.kind === "run" ? node.runId : node.modelId;
}
