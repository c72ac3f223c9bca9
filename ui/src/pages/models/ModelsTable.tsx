import { Link } from "@tanstack/react-router";
import type { RegisteredModel } from "../../api/schema";
import { Since } from "../../components/Text";
import { useStrings } from "../../i18n";
import { firstLine, latestVersion, mainTags, stagedVersions } from "../../lib/models/summary";
import { StageChip } from "./StageMenu";
import "./ModelsTable.css";

const SHOWN_TAGS = 2;
const SHOWN_ALIASES = 4;

/** Registered models, one a row. */
export function ModelsTable({ models }: { models: RegisteredModel[] }) {
  const t = useStrings();
  return (
    <div className="table-scroll card">
      <table className="plain-table models-table">
        <thead>
          <tr>
            <th>{t.common.name}</th>
            <th>{t.models.latestVersion}</th>
            <th>{t.models.stagesAndAliases}</th>
            <th className="models-wide">{t.common.tags}</th>
            <th>{t.common.updated}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <ModelRow key={model.name} model={model} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ModelRow({ model }: { model: RegisteredModel }) {
  const t = useStrings();
  const { name } = model;
  const latest = latestVersion(model);
  const aliases = model.aliases ?? [];
  const tags = mainTags(model.tags ?? [], SHOWN_TAGS);
  const about = firstLine(model.description);
  return (
    <tr>
      <td className="models-name">
        <Link to="/models/$name" params={{ name }}>
          {name}
        </Link>
        {about && <div className="muted truncate">{about}</div>}
      </td>
      <td className="nowrap">
        {latest ? (
          <Link to="/models/$name/versions/$version" params={{ name, version: latest }}>
            {t.models.versionNumber(latest)}
          </Link>
        ) : (
          <span className="muted">{t.models.noVersions}</span>
        )}
      </td>
      <td>
        <div className="row wrap models-chips">
          {stagedVersions(model).map(({ stage, version }) => (
            <Link
              key={stage}
              to="/models/$name/versions/$version"
              params={{ name, version }}
              className="models-chip-link"
            >
              <StageChip stage={stage}>
                <span className="numeric">{version}</span>
              </StageChip>
            </Link>
          ))}
          {aliases.slice(0, SHOWN_ALIASES).map(({ alias, version }) => (
            <Link
              key={alias}
              to="/models/$name/versions/$version"
              params={{ name, version }}
              className="chip accent models-chip-link"
            >
              <span className="truncate">@{alias}</span> <span className="numeric">{version}</span>
            </Link>
          ))}
          {aliases.length > SHOWN_ALIASES && (
            <span className="muted">{t.models.moreTags(aliases.length - SHOWN_ALIASES)}</span>
          )}
        </div>
      </td>
      <td className="models-wide">
        <div className="row wrap models-chips">
          {tags.shown.map(({ key, value }) => (
            <span key={key} className="chip" title={`${key}: ${value}`}>
              <span className="truncate">
                <span className="muted">{key}</span> {value}
              </span>
            </span>
          ))}
          {tags.more > 0 && <span className="muted nowrap">{t.models.moreTags(tags.more)}</span>}
        </div>
      </td>
      <td className="muted">
        <Since timeMs={model.last_updated_timestamp} />
      </td>
    </tr>
  );
}
