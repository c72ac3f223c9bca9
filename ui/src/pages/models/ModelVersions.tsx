import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Boxes, GitCompareArrows } from "lucide-react";
import { useState } from "react";
import { SERVER_URL } from "../../api/client";
import { modelVersionsQuery } from "../../api/models";
import type { RegisteredModel } from "../../api/schema";
import { Empty, Loading, Problem } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { pythonText } from "../../lib/models/sources";
import { LoadMore } from "../../components/LoadMore";
import { Snippet } from "../../components/Snippet";
import { type VersionOrder, VersionsTable } from "./VersionsTable";
import "./ModelVersions.css";

/** The versions of a model, sorted by the server, and what can be done with several. */
export function ModelVersions({ model: { name } }: { model: RegisteredModel }) {
  const t = useStrings();
  const [order, setOrder] = useState<VersionOrder>({ field: "version", isAscending: false });
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const versions = useInfiniteQuery({
    ...modelVersionsQuery(name, `${order.field} ${order.isAscending ? "ASC" : "DESC"}`),
    placeholderData: (previous) => previous,
  });
  const list = versions.data?.pages.flatMap((answer) => answer.model_versions ?? []) ?? [];
  // What was deleted meanwhile is not selected any more.
  const chosen = list.map(({ version }) => version).filter((version) => selected.has(version));
  chosen.sort((a, b) => Number(a) - Number(b));

  return (
    <section className="stack" aria-label={t.models.versions}>
      <div className="row wrap model-versions-bar">
        <h2>{t.models.versions}</h2>
        <span className="spacer" />
        {chosen.length >= 2 ? (
          <>
            <span className="muted">{t.models.selectedCount(chosen.length)}</span>
            <Link to="/models/$name/compare" params={{ name }} search={{ versions: chosen }} className="button primary">
              <GitCompareArrows size={15} aria-hidden /> {t.models.compareVersions}
            </Link>
          </>
        ) : (
          list.length > 1 && <span className="muted">{t.models.compareHelp}</span>
        )}
      </div>
      {versions.isPending && <Loading />}
      {versions.error && !versions.isFetchNextPageError && (
        <Problem error={versions.error} onRetry={versions.refetch} />
      )}
      {versions.isSuccess && list.length === 0 && <NoVersions name={name} />}
      {list.length > 0 && (
        <>
          <VersionsTable
            name={name}
            versions={list}
            order={order}
            onOrder={setOrder}
            selected={selected}
            onSelect={setSelected}
          />
          <LoadMore query={versions} />
        </>
      )}
    </section>
  );
}

function NoVersions({ name }: { name: string }) {
  const t = useStrings();
  const code = `import mlflow

mlflow.set_tracking_uri("${SERVER_URL.replace(/\/$/, "")}")
# A run's model, by the run's id and the folder it was logged to.
mlflow.register_model("runs:/RUN_ID/model", ${pythonText(name)})`;
  return (
    <Empty title={t.models.noVersionsYet} icon={<Boxes size={28} />}>
      <div className="stack">
        <p>{t.models.noVersionsHelp}</p>
        <Snippet code={code} />
      </div>
    </Empty>
  );
}
