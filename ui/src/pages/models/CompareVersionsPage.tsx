import { useInfiniteQuery, useQueries } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { GitCompareArrows, X } from "lucide-react";
import { loggedModelQuery, modelVersionQuery, modelVersionsQuery, versionModelFileQuery } from "../../api/models";
import { runQuery } from "../../api/runs";
import { IconButton } from "../../components/Button";
import { PageHeader } from "../../components/PageHeader";
import { Empty, Loading, Problem } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { formatTime } from "../../lib/format";
import { type ComparedVersion, compareVersions } from "../../lib/models/compareVersions";
import { preferences } from "../../lib/preferences";
import { ComparisonTable } from "./ComparisonTable";
import { StageChip } from "./StageMenu";
import "./CompareVersionsPage.css";

const page = getRouteApi("/models/$name/compare");

/** Versions of a model side by side. */
export default function CompareVersionsPage() {
  const t = useStrings();
  const { name } = page.useParams();
  const { versions = [], differences = false } = page.useSearch();
  const navigate = page.useNavigate();
  const setVersions = (chosen: string[]) =>
    navigate({ search: (old) => ({ ...old, versions: chosen }), replace: true });
  return (
    <>
      <PageHeader
        title={t.models.compareTitle(versions.length)}
        crumbs={[
          { label: t.models.title, to: "/models" },
          { label: name, to: `/models/${encodeURIComponent(name)}` },
        ]}
        actions={
          <>
            <label className="checkbox">
              <input
                type="checkbox"
                role="switch"
                checked={differences}
                onChange={(event) =>
                  navigate({
                    search: (old) => ({ ...old, differences: event.target.checked || undefined }),
                    replace: true,
                  })
                }
              />
              {t.models.onlyDifferences}
            </label>
            <AddVersion name={name} chosen={versions} onAdd={(version) => setVersions([...versions, version])} />
          </>
        }
      />
      <div className="page">
        {versions.length < 2 && (
          <Empty title={t.models.chooseVersions} icon={<GitCompareArrows size={28} />}>
            <p>{t.models.chooseVersionsHelp}</p>
          </Empty>
        )}
        {versions.length > 0 && (
          <Comparison
            name={name}
            numbers={versions}
            onlyDifferences={differences}
            onRemove={(version) => setVersions(versions.filter((other) => other !== version))}
          />
        )}
      </div>
    </>
  );
}

interface AddVersionProps {
  name: string;
  chosen: string[];
  onAdd: (version: string) => void;
}

function AddVersion({ name, chosen, onAdd }: AddVersionProps) {
  const t = useStrings();
  const versions = useInfiniteQuery(modelVersionsQuery(name, "version DESC"));
  const others = (versions.data?.pages.flatMap((answer) => answer.model_versions ?? []) ?? []).filter(
    ({ version }) => !chosen.includes(version),
  );
  if (others.length === 0) return null;
  return (
    <select
      className="input compare-versions-add"
      aria-label={t.models.addVersion}
      value=""
      onChange={(event) => onAdd(event.target.value)}
    >
      <option value="" disabled>
        {t.models.addVersion}
      </option>
      {others.map(({ version }) => (
        <option key={version} value={version}>
          {t.models.versionNumber(version)}
        </option>
      ))}
    </select>
  );
}

interface ComparisonProps {
  name: string;
  numbers: string[];
  onlyDifferences: boolean;
  onRemove: (version: string) => void;
}

function Comparison({ name, numbers, onlyDifferences, onRemove }: ComparisonProps) {
  const t = useStrings();
  const { timeZone } = preferences.use();
  const versions = useQueries({ queries: numbers.map((number) => modelVersionQuery(name, number)) });
  const found = versions.map(({ data }) => data);
  // Versions of one run, or of one logged model, ask for it once.
  const runIds = distinct(found.map((version) => version?.run_id));
  const runs = useQueries({ queries: runIds.map(runQuery) }).map(({ data }) => data);
  const modelIds = distinct(found.map((version) => version?.model_id));
  const loggedModels = useQueries({ queries: modelIds.map(loggedModelQuery) }).map(({ data }) => data);
  const files = useQueries({ queries: numbers.map((number) => versionModelFileQuery(name, number)) }).map(
    ({ data }) => data,
  );
  const failed = versions.find(({ error }) => error);
  const compared = found.flatMap((version, index): ComparedVersion[] =>
    version
      ? [
          {
            version,
            run: runs[runIds.indexOf(version.run_id)],
            loggedModel: loggedModels[modelIds.indexOf(version.model_id ?? "")],
            modelFile: files[index],
          },
        ]
      : [],
  );
  if (failed?.error) return <Problem error={failed.error} onRetry={failed.refetch} />;
  if (compared.length < numbers.length) return <Loading lines={8} />;
  return (
    <ComparisonTable
      groups={compareVersions(compared, t, (timeMs) => formatTime(timeMs, timeZone))}
      onlyDifferences={onlyDifferences}
      columns={compared.map(({ version }) => ({
        key: version.version,
        heading: (
          <div className="row compare-versions-heading">
            <Link to="/models/$name/versions/$version" params={{ name, version: version.version }}>
              {t.models.versionNumber(version.version)}
            </Link>
            <StageChip stage={version.current_stage} />
            <IconButton label={t.models.removeVersion(version.version)} onClick={() => onRemove(version.version)}>
              <X size={14} />
            </IconButton>
          </div>
        ),
      }))}
    />
  );
}

function distinct(ids: (string | null | undefined)[]): string[] {
  return [...new Set(ids)].filter((id): id is string => Boolean(id));
}
