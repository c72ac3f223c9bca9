import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Boxes, Plus, Search } from "lucide-react";
import { useState } from "react";
import { SERVER_URL } from "../../api/client";
import { registeredModelsQuery } from "../../api/models";
import { Button } from "../../components/Button";
import { PageHeader } from "../../components/PageHeader";
import { Empty, Loading, Problem } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { modelFilter } from "../../lib/models/filter";
import { CreateModelDialog } from "./CreateModelDialog";
import { LoadMore } from "../../components/LoadMore";
import { ModelsTable } from "./ModelsTable";
import type { ModelOrder } from "./search";
import { SearchBox } from "../../components/SearchBox";
import { Snippet } from "../../components/Snippet";
import "./ModelsPage.css";

const page = getRouteApi("/models");
const ORDERS: Record<ModelOrder, string> = { name: "name ASC", updated: "last_updated_timestamp DESC" };

/** The registered models of the server. */
export default function ModelsPage() {
  const t = useStrings();
  const { query = "", sort = "name" } = page.useSearch();
  const navigate = page.useNavigate();
  const [isCreating, setCreating] = useState(false);
  const models = useInfiniteQuery({
    ...registeredModelsQuery(modelFilter(query), ORDERS[sort]),
    // The list stays while the next letter's answer is on its way.
    placeholderData: (previous) => previous,
  });
  const list = models.data?.pages.flatMap((answer) => answer.registered_models ?? []) ?? [];
  const setQuery = (text: string) =>
    navigate({ search: (old) => ({ ...old, query: text || undefined }), replace: true });

  return (
    <>
      <PageHeader
        title={t.models.title}
        actions={
          <Button kind="primary" onClick={() => setCreating(true)}>
            <Plus size={15} aria-hidden /> {t.models.newModel}
          </Button>
        }
      />
      <div className="page stack">
        <div className="models-bar">
          <SearchBox
            query={query}
            label={t.models.searchLabel}
            placeholder={t.models.searchPlaceholder}
            hasFailed={models.isError}
            onChange={setQuery}
          />
          <label className="row">
            <span className="muted nowrap">{t.models.sortBy}</span>
            <select
              className="input"
              value={sort}
              onChange={(event) => {
                const chosen = event.target.value === "updated" ? "updated" : undefined;
                navigate({ search: (old) => ({ ...old, sort: chosen }), replace: true });
              }}
            >
              <option value="name">{t.models.sortName}</option>
              <option value="updated">{t.models.sortUpdated}</option>
            </select>
          </label>
        </div>
        {models.error && <Problem error={models.error} onRetry={models.refetch} />}
        {models.isPending && <Loading />}
        {models.isSuccess && list.length === 0 && <NoModels query={query} onClear={() => setQuery("")} />}
        {list.length > 0 && !models.error && (
          <>
            <ModelsTable models={list} />
            <LoadMore query={models} />
          </>
        )}
      </div>
      {isCreating && <CreateModelDialog onClose={() => setCreating(false)} />}
    </>
  );
}

function NoModels({ query, onClear }: { query: string; onClear: () => void }) {
  const t = useStrings();
  if (query !== "") {
    return (
      <Empty title={t.models.noMatch} icon={<Search size={28} />}>
        <div className="stack">
          <p>{t.models.noMatchHelp(query)}</p>
          <p>
            {t.models.searchHelp} <code>tags.owner = &apos;ana&apos;</code>, <code>name LIKE &apos;churn-%&apos;</code>
          </p>
          <div>
            <Button onClick={onClear}>{t.models.clearSearch}</Button>
          </div>
        </div>
      </Empty>
    );
  }
  return (
    <Empty title={t.models.noModels} icon={<Boxes size={28} />}>
      <div className="stack">
        <p>{t.models.noModelsHelp}</p>
        <Snippet code={REGISTER_CODE} />
        <p>
          {t.models.noModelsOrUi} <Link to="/experiments">{t.common.toExperiments}</Link>
        </p>
      </div>
    </Empty>
  );
}

const REGISTER_CODE = `import mlflow

mlflow.set_tracking_uri("${SERVER_URL.replace(/\/$/, "")}")
# A run's model, by the run's id and the folder it was logged to.
mlflow.register_model("runs:/RUN_ID/model", "churn-model")`;
