import { useNavigate } from "@tanstack/react-router";
import { Copy, Ellipsis, GitCompare, Package, Pencil, RotateCcw, Square, Trash2 } from "lucide-react";
import { useId, useState } from "react";
import type { Run } from "../../api/schema";
import { Button } from "../../components/Button";
import { ConfirmDialog, FormDialog } from "../../components/Dialog";
import { Menu, MenuItem } from "../../components/Menu";
import { copyText } from "../../components/Text";
import { showError, showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { factsOf } from "../../lib/runFacts";
import { type ModelSource, RegisterModelDialog } from "../models/RegisterModelDialog";
import { useRunChanges } from "./changes";

/** What can be done to a run: register its model, stop, rename, delete it. */
export function RunActions({ run }: { run: Run }) {
  const t = useStrings();
  const navigate = useNavigate();
  const changes = useRunChanges(run.info.run_id);
  const [dialog, setDialog] = useState<"stop" | "rename">();
  const [source, setSource] = useState<ModelSource>();
  const { name } = factsOf(run);
  const runId = run.info.run_id;
  const isActive = run.info.lifecycle_stage === "active";
  const sources = modelSources(run);

  async function moveToTrash() {
    await changes.delete();
    showToast(t.run.deleted(name), { undo: () => changes.restore() });
  }
  return (
    <>
      {isActive && sources.length === 1 && (
        <Button onClick={() => setSource(sources[0])}>
          <Package size={14} aria-hidden /> {t.run.registerModel}
        </Button>
      )}
      {isActive && sources.length > 1 && (
        <Menu
          align="end"
          button={
            <>
              <Package size={14} aria-hidden /> {t.run.registerModel}
            </>
          }
        >
          {sources.map((one) => (
            <MenuItem key={sourceName(one)} onSelect={() => setSource(one)}>
              {t.run.registerFolder(sourceName(one))}
            </MenuItem>
          ))}
        </Menu>
      )}
      {run.info.status === "RUNNING" && isActive && (
        <Button onClick={() => setDialog("stop")}>
          <Square size={13} aria-hidden /> {t.run.stop}
        </Button>
      )}
      <Menu align="end" label={t.run.actions} button={<Ellipsis size={16} />} buttonClass="icon-button">
        <MenuItem icon={<Pencil size={14} />} disabled={!isActive} onSelect={() => setDialog("rename")}>
          {t.run.rename}
        </MenuItem>
        <MenuItem icon={<Copy size={14} />} onSelect={() => void copyText(runId).catch(showError)}>
          {t.common.copyOf(t.run.copyId)}
        </MenuItem>
        <MenuItem
          icon={<GitCompare size={14} />}
          onSelect={() => navigate({ to: "/compare-runs", search: { runs: [runId] } })}
        >
          {t.run.compare}
        </MenuItem>
        <hr />
        {isActive ? (
          <MenuItem danger icon={<Trash2 size={14} />} onSelect={() => void moveToTrash().catch(showError)}>
            {t.common.delete}
          </MenuItem>
        ) : (
          <MenuItem icon={<RotateCcw size={14} />} onSelect={() => void changes.restore().catch(showError)}>
            {t.common.restore}
          </MenuItem>
        )}
      </Menu>
      {dialog === "stop" && (
        <ConfirmDialog
          title={t.run.stopTitle}
          submitLabel={t.run.stop}
          onClose={() => setDialog(undefined)}
          onConfirm={changes.stop}
        >
          {t.run.stopHint}
        </ConfirmDialog>
      )}
      {dialog === "rename" && (
        <RenameDialog name={name} onRename={changes.rename} onClose={() => setDialog(undefined)} />
      )}
      {source && <RegisterModelDialog source={source} onClose={() => setSource(undefined)} />}
    </>
  );
}

interface RenameDialogProps {
  name: string;
  onRename: (name: string) => Promise<void>;
  onClose: () => void;
}

function RenameDialog({ name, onRename, onClose }: RenameDialogProps) {
  const t = useStrings();
  const id = useId();
  const [text, setText] = useState(name);
  return (
    <FormDialog
      title={t.run.rename}
      submitLabel={t.common.rename}
      canSubmit={text.trim() !== "" && text !== name}
      onSubmit={() => onRename(text.trim())}
      onClose={onClose}
    >
      <div className="field">
        <label htmlFor={id}>{t.run.newName}</label>
        <input id={id} className="input" autoFocus value={text} onChange={(event) => setText(event.target.value)} />
        <span className="help">{t.run.newRunName}</span>
      </div>
    </FormDialog>
  );
}

/** Says that a run is in the trash, and takes it out. */
export function DeletedBanner({ run }: { run: Run }) {
  const t = useStrings();
  const changes = useRunChanges(run.info.run_id);
  return (
    <div className="run-banner" role="status">
      <Trash2 size={15} aria-hidden /> {t.run.isDeleted}
      <Button onClick={() => void changes.restore().catch(showError)}>{t.common.restore}</Button>
    </div>
  );
}

/** What of a run can be registered: the models it logged, and the model folders among its artifacts. */
function modelSources(run: Run): ModelSource[] {
  const { run_id: runId } = run.info;
  const logged = (run.outputs?.model_outputs ?? []).map(({ model_id: modelId }): ModelSource => ({
    kind: "logged-model",
    modelId,
    name: modelId,
    runId,
  }));
  const folders = factsOf(run).modelPaths.map((path): ModelSource => ({ kind: "run", runId, path }));
  return [...logged, ...folders];
}

function sourceName(source: ModelSource): string {
  return source.kind === "run" ? source.path : source.name;
}
