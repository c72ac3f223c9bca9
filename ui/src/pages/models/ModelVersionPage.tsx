import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, GitCompareArrows, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { deleteVersion, deleteVersionTag, describeVersion, setVersionTag } from "../../api/modelChanges";
import { loggedModelQuery, modelVersionQuery, neighboursQuery } from "../../api/models";
import { runQuery } from "../../api/runs";
import type { ModelVersion } from "../../api/schema";
import { Button } from "../../components/Button";
import { ConfirmDialog } from "../../components/Dialog";
import { EditableMarkdown } from "../../components/Markdown";
import { PageHeader } from "../../components/PageHeader";
import { Loading, Problem } from "../../components/Problem";
import { Tags } from "../../components/Tags";
import { CopyButton, Since } from "../../components/Text";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { ownMetrics, versionState } from "../../lib/models/loggedModels";
import { lineageOf } from "../../lib/models/lineage";
import { loadByAlias, loadByVersion } from "../../lib/models/sources";
import { Fact, Facts } from "./Facts";
import { Lineage } from "./Lineage";
import { MetricsTable } from "./MetricsTable";
import { useRefreshModels } from "./refresh";
import { RunLink } from "./RunLink";
import { Snippet } from "../../components/Snippet";
import { StageMenu } from "./StageMenu";
import { StateWord } from "./StateWord";
import { useTagChanges } from "./tagChanges";
import { VersionAliases } from "./VersionAliases";
import "./ModelVersionPage.css";

const page = getRouteApi("/models/$name/versions/$version");
const ArtifactBrowser = lazy(() =>
  import("../artifacts/ArtifactBrowser").then((module) => ({ default: module.ArtifactBrowser })),
);

/** One version of a registered model: what it is, where it came from, how to load it. */
export default function ModelVersionPage() {
  const t = useStrings();
  const { name, version: number } = page.useParams();
  const version = useQuery(modelVersionQuery(name, number));
  return (
    <>
      <PageHeader
        title={`${name} ${t.models.versionNumber(number).toLocaleLowerCase()}`}
        crumbs={[
          { label: t.models.title, to: "/models" },
          { label: name, to: `/models/${encodeURIComponent(name)}` },
        ]}
        beside={version.data && <StageMenu version={version.data} />}
        actions={version.data && <Actions version={version.data} />}
      />
      <div className="page">
        {version.isPending && <Loading />}
        {version.error && <Problem error={version.error} onRetry={version.refetch} />}
        {version.data && <VersionBody key={`${name} ${number}`} version={version.data} />}
      </div>
    </>
  );
}

function VersionBody({ version }: { version: ModelVersion }) {
  const t = useStrings();
  const { name, version: number, run_id: runId } = version;
  const { path } = page.useSearch();
  const navigate = page.useNavigate();
  const refresh = useRefreshModels();
  // A run or a logged model that is gone is no error of this page: what is known of it is shown.
  const run = useQuery({ ...runQuery(runId), enabled: runId !== "" }).data;
  const modelId = version.model_id ?? "";
  const loggedModel = useQuery({ ...loggedModelQuery(modelId), enabled: modelId !== "" }).data;
  const modelMetrics = loggedModel?.data.metrics ?? [];
  const metrics = modelMetrics.length > 0 ? modelMetrics : ownMetrics(run?.data.metrics ?? []);
  const tagChanges = useTagChanges(
    version.tags ?? [],
    (key, value) => setVersionTag(name, number, key, value),
    (key) => deleteVersionTag(name, number, key),
  );

  return (
    <div className="version-page">
      <div className="version-top">
        <div className="stack">
          <section className="card version-card" aria-label={t.common.description}>
            <EditableMarkdown
              text={version.description}
              onSave={(text) => describeVersion(name, number, text).then(refresh)}
            />
          </section>
          <section className="card version-card" aria-labelledby="version-lineage">
            <h2 id="version-lineage">{t.models.lineage}</h2>
            <Lineage steps={lineageOf(version, run, loggedModel)} label={t.models.lineageOf(number)} />
          </section>
          <section className="card version-card" aria-labelledby="version-metrics">
            <h2 id="version-metrics">
              {t.models.metrics}{" "}
              {metrics.length > 0 && (
                <span className="muted version-origin">
                  {modelMetrics.length > 0 ? t.models.fromLoggedModel : t.models.fromRun}
                </span>
              )}
            </h2>
            {metrics.length > 0 ? <MetricsTable metrics={metrics} /> : <p className="muted">{t.models.noMetrics}</p>}
          </section>
        </div>
        <div className="stack">
          <section className="card version-card" aria-label={t.models.details}>
            <Facts>
              <Fact label={t.common.status}>
                <StateWord state={versionState(version.status)} message={version.status_message} />
              </Fact>
              <Fact label={t.models.aliases}>
                <VersionAliases version={version} />
              </Fact>
              <Fact label={t.common.created}>
                <Since timeMs={version.creation_timestamp} />
              </Fact>
              <Fact label={t.common.updated}>
                <Since timeMs={version.last_updated_timestamp} />
              </Fact>
              {version.user_id && <Fact label={t.models.user}>{version.user_id}</Fact>}
              {runId && (
                <Fact label={t.models.sourceRun}>
                  <RunLink runId={runId} name={run?.info.run_name} experimentId={run?.info.experiment_id} />
                </Fact>
              )}
              <Fact label={t.models.sourceUri}>
                <span className="mono">{version.source}</span>{" "}
                <CopyButton text={version.source} what={t.models.sourceUri} />
              </Fact>
              <Fact label={t.common.tags}>
                <Tags tags={version.tags ?? []} {...tagChanges} />
              </Fact>
            </Facts>
          </section>
          <LoadCode version={version} />
        </div>
      </div>
      <section className="version-files" aria-labelledby="version-files">
        <h2 id="version-files">{t.models.files}</h2>
        <Suspense fallback={<Loading />}>
          <ArtifactBrowser
            source={{ kind: "model-version", name, version: number }}
            path={path}
            onPathChange={(chosen) => navigate({ search: { path: chosen }, replace: true, resetScroll: false })}
          />
        </Suspense>
      </section>
    </div>
  );
}

/** Code that loads the version: by its number, or by an alias, so that it follows the alias. */
function LoadCode({ version: { name, version, aliases = [] } }: { version: ModelVersion }) {
  const t = useStrings();
  const [chosen, setChosen] = useState("");
  const alias = aliases.includes(chosen) ? chosen : undefined;
  return (
    <section className="card version-card" aria-labelledby="version-load">
      <div className="row wrap">
        <h2 id="version-load">{t.models.loadIt}</h2>
        <span className="spacer" />
        {aliases.length > 0 && (
          <select
            className="input version-load-by"
            aria-label={t.models.loadIt}
            value={alias ?? ""}
            onChange={(event) => setChosen(event.target.value)}
          >
            <option value="">{t.models.loadByVersion}</option>
            {aliases.map((name) => (
              <option key={name} value={name}>
                {t.models.loadByAlias(name)}
              </option>
            ))}
          </select>
        )}
      </div>
      <Snippet code={alias ? loadByAlias(name, alias) : loadByVersion(name, version)} what={t.models.loadCode} />
    </section>
  );
}

function Actions({ version: { name, version } }: { version: ModelVersion }) {
  const t = useStrings();
  const [isDeleting, setDeleting] = useState(false);
  const refresh = useRefreshModels();
  const navigate = useNavigate();
  const { previous, next } = useQuery(neighboursQuery(name, version)).data ?? {};
  return (
    <>
      <NeighbourLink name={name} version={previous} label={previous && t.models.previousVersion(previous)}>
        <ChevronLeft size={16} aria-hidden />
      </NeighbourLink>
      <NeighbourLink name={name} version={next} label={next && t.models.nextVersion(next)}>
        <ChevronRight size={16} aria-hidden />
      </NeighbourLink>
      {previous && (
        <Link
          to="/models/$name/compare"
          params={{ name }}
          search={{ versions: [previous, version] }}
          className="button"
        >
          <GitCompareArrows size={15} aria-hidden /> {t.models.compareWithPrevious(previous)}
        </Link>
      )}
      <Button kind="danger" onClick={() => setDeleting(true)}>
        <Trash2 size={14} aria-hidden /> {t.models.deleteVersion}
      </Button>
      {isDeleting && (
        <ConfirmDialog
          title={t.models.deleteVersion}
          submitLabel={t.common.deleteForGood}
          typed={`${name} ${version}`}
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await deleteVersion(name, version);
            await navigate({ to: "/models/$name", params: { name }, replace: true });
            refresh();
            showToast(t.models.versionDeleted(version));
          }}
        >
          <p>{t.models.deleteVersionText(version)}</p>
        </ConfirmDialog>
      )}
    </>
  );
}

interface NeighbourLinkProps {
  name: string;
  version?: string;
  label?: string;
  children: React.ReactNode;
}

/** A link to the version beside this one; nothing where there is none. */
function NeighbourLink({ name, version, label, children }: NeighbourLinkProps) {
  if (!version) return null;
  return (
    <Link
      to="/models/$name/versions/$version"
      params={{ name, version }}
      className="icon-button"
      aria-label={label}
      title={label}
    >
      {children}
    </Link>
  );
}
