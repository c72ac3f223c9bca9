import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { MoreHorizontal, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { deleteModel, deleteModelTag, describeModel, renameModel, setModelTag } from "../../api/modelChanges";
import { registeredModelQuery } from "../../api/models";
import type { RegisteredModel } from "../../api/schema";
import { ConfirmDialog, FormDialog } from "../../components/Dialog";
import { EditableMarkdown } from "../../components/Markdown";
import { Menu, MenuItem } from "../../components/Menu";
import { PageHeader } from "../../components/PageHeader";
import { Loading, Problem } from "../../components/Problem";
import { Tags } from "../../components/Tags";
import { Since } from "../../components/Text";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { modelNameProblem } from "../../lib/models/names";
import { stagedVersions } from "../../lib/models/summary";
import { Fact, Facts } from "./Facts";
import { ModelNameField } from "./ModelNameField";
import { useRefreshModels } from "./refresh";
import { StageChip } from "./StageMenu";
import { useTagChanges } from "./tagChanges";
import { ModelVersions } from "./ModelVersions";
import "./ModelPage.css";

const page = getRouteApi("/models/$name");

/** A registered model: what it is, and its versions. */
export default function ModelPage() {
  const t = useStrings();
  const { name } = page.useParams();
  const model = useQuery(registeredModelQuery(name));
  return (
    <>
      <PageHeader
        title={name}
        crumbs={[{ label: t.models.title, to: "/models" }]}
        actions={model.data && <Actions model={model.data} />}
      />
      <div className="page stack model-page">
        {model.isPending && <Loading />}
        {model.error && <Problem error={model.error} onRetry={model.refetch} />}
        {model.data && <ModelAbout model={model.data} />}
        {model.data && <ModelVersions key={name} model={model.data} />}
      </div>
    </>
  );
}

function ModelAbout({ model }: { model: RegisteredModel }) {
  const t = useStrings();
  const refresh = useRefreshModels();
  const { name } = model;
  const tagChanges = useTagChanges(
    model.tags ?? [],
    (key, value) => setModelTag(name, key, value),
    (key) => deleteModelTag(name, key),
  );
  const staged = stagedVersions(model);
  const aliases = model.aliases ?? [];
  return (
    <div className="model-about card">
      <section aria-label={t.common.description}>
        <EditableMarkdown
          key={name}
          text={model.description}
          onSave={(text) => describeModel(name, text).then(refresh)}
        />
      </section>
      <Facts>
        <Fact label={t.common.created}>
          <Since timeMs={model.creation_timestamp} />
        </Fact>
        <Fact label={t.common.updated}>
          <Since timeMs={model.last_updated_timestamp} />
        </Fact>
        {staged.length > 0 && (
          <Fact label={t.models.stage}>
            <div className="row wrap">
              {staged.map(({ stage, version }) => (
                <Link
                  key={stage}
                  to="/models/$name/versions/$version"
                  params={{ name, version }}
                  className="model-chip-link"
                >
                  <StageChip stage={stage}>
                    <span>{version}</span>
                  </StageChip>
                </Link>
              ))}
            </div>
          </Fact>
        )}
        {aliases.length > 0 && (
          <Fact label={t.models.aliases}>
            <div className="row wrap">
              {aliases.map(({ alias, version }) => (
                <Link
                  key={alias}
                  to="/models/$name/versions/$version"
                  params={{ name, version }}
                  className="chip accent"
                >
                  <span className="truncate">@{alias}</span> {version}
                </Link>
              ))}
            </div>
          </Fact>
        )}
        <Fact label={t.common.tags}>
          <Tags tags={model.tags ?? []} {...tagChanges} />
        </Fact>
      </Facts>
    </div>
  );
}

function Actions({ model }: { model: RegisteredModel }) {
  const t = useStrings();
  const [opened, setOpened] = useState<"rename" | "delete">();
  const close = () => setOpened(undefined);
  return (
    <>
      <Menu
        label={t.models.moreActions}
        buttonClass="icon-button"
        button={<MoreHorizontal size={16} aria-hidden />}
        align="end"
      >
        <MenuItem icon={<Pencil size={14} />} onSelect={() => setOpened("rename")}>
          {t.models.renameModel}
        </MenuItem>
        <MenuItem danger icon={<Trash2 size={14} />} onSelect={() => setOpened("delete")}>
          {t.models.deleteModel}
        </MenuItem>
      </Menu>
      {opened === "rename" && <RenameDialog name={model.name} onClose={close} />}
      {opened === "delete" && <DeleteDialog name={model.name} onClose={close} />}
    </>
  );
}

function RenameDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useStrings();
  const refresh = useRefreshModels();
  const navigate = useNavigate();
  const [newName, setNewName] = useState(name);

  async function rename(from: string, to: string) {
    await renameModel(from, to);
    await navigate({ to: "/models/$name", params: { name: to }, replace: true });
    // The old name is not asked for again: the page has left it.
    refresh();
  }

  return (
    <FormDialog
      title={t.models.renameModel}
      submitLabel={t.common.rename}
      canSubmit={newName !== name && modelNameProblem(newName) === undefined}
      onClose={onClose}
      onSubmit={async () => {
        await rename(name, newName);
        showToast(t.models.renamed(newName), { undo: () => rename(newName, name) });
      }}
    >
      <ModelNameField label={t.models.newName} name={newName} onChange={setNewName} help={t.models.renameHelp} />
    </FormDialog>
  );
}

function DeleteDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useStrings();
  const refresh = useRefreshModels();
  const navigate = useNavigate();
  return (
    <ConfirmDialog
      title={t.models.deleteModel}
      submitLabel={t.common.deleteForGood}
      typed={name}
      onClose={onClose}
      onConfirm={async () => {
        await deleteModel(name);
        await navigate({ to: "/models", replace: true });
        refresh();
        showToast(t.models.modelDeleted(name));
      }}
    >
      <p>{t.models.deleteModelText(name)}</p>
    </ConfirmDialog>
  );
}
