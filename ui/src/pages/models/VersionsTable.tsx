import { Link } from "@tanstack/react-router";
import type { ModelVersion } from "../../api/schema";
import { isOwnTag } from "../../components/Tags";
import { Since } from "../../components/Text";
import { useStrings } from "../../i18n";
import { versionState } from "../../lib/models/loggedModels";
import { firstLine, mainTags } from "../../lib/models/summary";
import { RunLink } from "./RunLink";
import { useRunNames } from "./runNames";
import { SortHeading } from "../../components/SortHeading";
import { StageMenu } from "./StageMenu";
import { StateWord } from "./StateWord";
import { VersionAliases } from "./VersionAliases";
import "./VersionsTable.css";

/** What versions are sorted by, in the server's words. */
export interface VersionOrder {
  field: "version" | "current_stage" | "creation_timestamp" | "user_id" | "status";
  isAscending: boolean;
}

interface VersionsTableProps {
  name: string;
  versions: ModelVersion[];
  order: VersionOrder;
  onOrder: (order: VersionOrder) => void;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
}

const SHOWN_TAGS = 2;

/** The versions of a model. Columns in which no version has anything are left out. */
export function VersionsTable({ name, versions, order, onOrder, selected, onSelect }: VersionsTableProps) {
  const t = useStrings();
  const runs = useRunNames(versions.map((version) => version.run_id));
  const hasUsers = versions.some((version) => version.user_id !== "");
  const hasTags = versions.some((version) => (version.tags ?? []).some(({ key }) => !isOwnTag(key)));
  const hasDescriptions = versions.some((version) => version.description !== "");
  const heading = (field: VersionOrder["field"], label: string) => (
    <SortHeading
      label={label}
      direction={order.field === field ? (order.isAscending ? "ascending" : "descending") : undefined}
      onSort={(isAscending) => onOrder({ field, isAscending })}
    />
  );
  const select = (version: string, isChosen: boolean) => {
    const changed = new Set(selected);
    if (isChosen) changed.add(version);
    else changed.delete(version);
    onSelect(changed);
  };

  return (
    <div className="table-scroll card">
      <table className="plain-table versions-table" aria-label={t.models.versionsOf(name)}>
        <thead>
          <tr>
            <th>
              <span className="visually-hidden">{t.models.select}</span>
            </th>
            {heading("version", t.models.version)}
            {heading("status", t.common.status)}
            {heading("current_stage", t.models.stage)}
            <th>{t.models.aliases}</th>
            {heading("creation_timestamp", t.common.created)}
            <th>{t.models.sourceRun}</th>
            {hasUsers && heading("user_id", t.models.user)}
            {hasTags && <th>{t.common.tags}</th>}
            {hasDescriptions && <th>{t.common.description}</th>}
          </tr>
        </thead>
        <tbody>
          {versions.map((version) => {
            const run = runs.get(version.run_id);
            const tags = mainTags(version.tags ?? [], SHOWN_TAGS);
            return (
              <tr key={version.version} className={selected.has(version.version) ? "selected" : ""}>
                <td>
                  <input
                    type="checkbox"
                    aria-label={t.models.selectVersion(version.version)}
                    checked={selected.has(version.version)}
                    onChange={(event) => select(version.version, event.target.checked)}
                  />
                </td>
                <td className="nowrap">
                  <Link to="/models/$name/versions/$version" params={{ name, version: version.version }}>
                    {t.models.versionNumber(version.version)}
                  </Link>
                </td>
                <td>
                  <StateWord state={versionState(version.status)} message={version.status_message} />
                </td>
                <td>
                  <StageMenu version={version} />
                </td>
                <td>
                  <VersionAliases version={version} />
                </td>
                <td className="muted">
                  <Since timeMs={version.creation_timestamp} />
                </td>
                <td className="versions-run">
                  {version.run_id && (
                    <RunLink runId={version.run_id} name={run?.name} experimentId={run?.experimentId} />
                  )}
                </td>
                {hasUsers && <td>{version.user_id}</td>}
                {hasTags && (
                  <td>
                    <div className="row wrap">
                      {tags.shown.map(({ key, value }) => (
                        <span key={key} className="chip" title={`${key}: ${value}`}>
                          <span className="truncate versions-tag">
                            <span className="muted">{key}</span> {value}
                          </span>
                        </span>
                      ))}
                      {tags.more > 0 && <span className="muted nowrap">{t.models.moreTags(tags.more)}</span>}
                    </div>
                  </td>
                )}
                {hasDescriptions && (
                  <td className="versions-about truncate" title={version.description}>
                    {firstLine(version.description)}
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
