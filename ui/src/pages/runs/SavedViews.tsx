import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Bookmark, BookmarkPlus, Link, Pencil, Save } from "lucide-react";
import { useState } from "react";
import { experimentQuery } from "../../api/experiments";
import { Menu, MenuItem } from "../../components/Menu";
import { showError, showToast } from "../../components/Toasts";
import { copyText } from "../../components/Text";
import { useStrings } from "../../i18n";
import { isSameView, lengthOf, MAX_VIEW_LENGTH, setView, viewsOf, viewText } from "../../lib/savedViews";
import { ManageViewsDialog, SaveViewDialog } from "./ViewDialogs";
import "./SavedViews.css";

interface SavedViewsProps {
  experimentId: string;
  /** The view as it is now. */
  current: Record<string, unknown>;
  onOpen: (view: Record<string, unknown>) => void;
}

/** A menu of the experiment's named views: to open one, to save the current one, to copy a link to it. */
export function SavedViews({ experimentId, current, onOpen }: SavedViewsProps) {
  const t = useStrings();
  const queries = useQueryClient();
  const experiment = useQuery(experimentQuery(experimentId));
  // The view that was opened or saved last, from which the current one may have departed since.
  const [openedName, setOpenedName] = useState<string>();
  const [dialog, setDialog] = useState<"save" | "manage">();
  const views = viewsOf(
    (experiment.data?.tags ?? []).map(({ key, value }) => ({ key: key ?? "", value: value ?? "" })),
  );
  const same = views.find(({ view }) => isSameView(view, current));
  const opened = same ?? views.find(({ name }) => name === openedName);
  const isChanged = opened !== undefined && same === undefined;
  const refresh = () => queries.invalidateQueries({ queryKey: experimentQuery(experimentId).queryKey });

  /** Keep the current view under a name. */
  async function save(name: string) {
    const text = viewText(current);
    const length = lengthOf(text);
    if (length > MAX_VIEW_LENGTH) throw new Error(t.runActions.viewTooLong(length, MAX_VIEW_LENGTH));
    await setView(experimentId, name, text);
    setOpenedName(name);
    await refresh();
    showToast(t.runActions.viewSaved(name));
  }

  return (
    <>
      <Menu
        align="end"
        button={
          <>
            <Bookmark size={14} aria-hidden />
            <span className="saved-views-name truncate">{opened?.name ?? t.runActions.views}</span>
            {isChanged && (
              <span className="saved-views-changed" title={t.runActions.viewChangedHint(opened.name)}>
                {t.runActions.viewChanged}
              </span>
            )}
          </>
        }
      >
        {views.length === 0 && <p className="saved-views-none muted">{t.runActions.noViews}</p>}
        {views.map(({ name, view }) => (
          <MenuItem
            key={name}
            checked={same?.name === name}
            disabled={view === undefined}
            onSelect={() => {
              setOpenedName(name);
              onOpen(view!);
            }}
          >
            {view === undefined ? t.runActions.viewBroken(name) : name}
            {isChanged && opened.name === name && (
              <span className="saved-views-changed">{t.runActions.viewChanged}</span>
            )}
          </MenuItem>
        ))}
        <hr />
        {isChanged && (
          <MenuItem icon={<Save size={14} />} onSelect={() => save(opened.name).catch(showError)}>
            {t.runActions.updateView(opened.name)}
          </MenuItem>
        )}
        <MenuItem icon={<BookmarkPlus size={14} />} onSelect={() => setDialog("save")}>
          {t.runActions.saveView}
        </MenuItem>
        {views.length > 0 && (
          <MenuItem icon={<Pencil size={14} />} onSelect={() => setDialog("manage")}>
            {t.runActions.manageViews}
          </MenuItem>
        )}
        <hr />
        <MenuItem
          icon={<Link size={14} />}
          onSelect={() => copyText(location.href).then(() => showToast(t.runActions.linkCopied), showError)}
        >
          {t.runActions.copyLink}
        </MenuItem>
      </Menu>
      {dialog === "save" && (
        <SaveViewDialog
          takenNames={views.map(({ name }) => name)}
          problem={
            lengthOf(viewText(current)) > MAX_VIEW_LENGTH
              ? t.runActions.viewTooLong(lengthOf(viewText(current)), MAX_VIEW_LENGTH)
              : undefined
          }
          onSave={save}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === "manage" && (
        <ManageViewsDialog
          experimentId={experimentId}
          views={views}
          onChange={refresh}
          onRenamed={(from, to) => openedName === from && setOpenedName(to)}
          onClose={() => setDialog(undefined)}
        />
      )}
    </>
  );
}
