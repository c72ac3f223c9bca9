import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { FormDialog } from "../../components/Dialog";
import { Loading, Problem } from "../../components/Problem";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { type BulkResult, changeRuns } from "../../lib/bulk";
import { knownTagKeys, tagValues } from "../../lib/runTags";
import { BulkProgress, tellResult, type Undo, undoRuns, useBulk } from "./bulk";

interface TagDialogProps {
  runIds: string[];
  onDone: () => void;
  onClose: () => void;
}

/** Set a tag on all selected runs. */
export function TagDialog({ runIds, onDone, onClose }: TagDialogProps) {
  const t = useStrings();
  const id = useId();
  const bulk = useBulk();
  const finish = useFinish(runIds, onDone);
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const known = useQuery({
    queryKey: ["known-tags", runIds],
    queryFn: ({ signal }) => knownTagKeys(runIds, signal),
  });
  async function submit() {
    const name = key.trim();
    const before = (await tagValues(runIds, [name])).get(name);
    const result = await bulk.run("tag", runIds.length, (options) =>
      changeRuns(runIds, { set_tag: { key: name, value } }, options),
    );
    finish("tag", result, name, before);
  }
  return (
    <FormDialog
      title={t.runActions.tagTitle(runIds.length)}
      submitLabel={t.runActions.setTag}
      canSubmit={key.trim() !== ""}
      onSubmit={submit}
      onClose={() => {
        bulk.stop();
        onClose();
      }}
    >
      <div className="field">
        <label htmlFor={`${id}-key`}>{t.common.key}</label>
        <input
          id={`${id}-key`}
          className="input"
          list={`${id}-known`}
          autoComplete="off"
          autoFocus
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <datalist id={`${id}-known`}>
          {known.data?.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      </div>
      <div className="field">
        <label htmlFor={`${id}-value`}>{t.common.value}</label>
        <input
          id={`${id}-value`}
          className="input"
          autoComplete="off"
          value={value}
          aria-describedby={`${id}-help`}
          onChange={(event) => setValue(event.target.value)}
        />
        <span id={`${id}-help`} className="help">
          {t.runActions.tagHelp}
        </span>
      </div>
      {bulk.work && <BulkProgress work={bulk.work} />}
    </FormDialog>
  );
}

/** Remove a tag from those of the selected runs that have it. */
export function RemoveTagDialog({ runIds, onDone, onClose }: TagDialogProps) {
  const t = useStrings();
  const id = useId();
  const bulk = useBulk();
  const finish = useFinish(runIds, onDone);
  const [chosen, setChosen] = useState<string>();
  const tags = useQuery({
    queryKey: ["selected-tags", runIds],
    queryFn: async ({ signal }) => tagValues(runIds, await knownTagKeys(runIds, signal), signal),
    staleTime: 0,
    gcTime: 0,
  });
  const keys = [...(tags.data?.keys() ?? [])];
  const key = chosen ?? keys[0];
  async function submit() {
    const values = tags.data!.get(key!)!;
    const holders = runIds.filter((_, at) => values[at] !== null);
    const result = await bulk.run("removeTag", holders.length, (options) =>
      changeRuns(holders, { delete_tag: key! }, options),
    );
    finish("removeTag", result, key!, values, holders.length);
  }
  return (
    <FormDialog
      danger
      title={t.runActions.removeTagTitle(runIds.length)}
      submitLabel={t.runActions.removeTagButton}
      canSubmit={key !== undefined}
      onSubmit={submit}
      onClose={() => {
        bulk.stop();
        onClose();
      }}
    >
      {tags.isPending && <Loading lines={2} />}
      {tags.error && <Problem error={tags.error} onRetry={() => void tags.refetch()} />}
      {tags.data && keys.length === 0 && <p>{t.runActions.noTagsThere}</p>}
      {keys.length > 0 && (
        <div className="field">
          <label htmlFor={id}>{t.common.key}</label>
          <select id={id} className="input" value={key} onChange={(event) => setChosen(event.target.value)}>
            {keys.map((each) => (
              <option key={each} value={each}>
                {t.runActions.tagOption(each, holderCount(tags.data!.get(each)!), runIds.length)}
              </option>
            ))}
          </select>
        </div>
      )}
      {bulk.work && <BulkProgress work={bulk.work} />}
    </FormDialog>
  );
}

/** Tell what came of it, with a way back; when nothing was done, throw why, for the dialog to show. */
function useFinish(runIds: string[], onDone: () => void) {
  const queries = useQueryClient();
  return (
    kind: "tag" | "removeTag",
    result: BulkResult,
    key: string,
    before: (string | null)[] | undefined,
    total = runIds.length,
  ) => {
    const { done, failed } = result;
    if (done.length === 0 && failed[0]) throw new Error(failed[0].message);
    const undo = () =>
      undoRuns(tagUndos(key, done, new Map(runIds.map((runId, at) => [runId, before?.[at] ?? null])))).finally(() =>
        queries.invalidateQueries(),
      );
    showToast(tellResult(kind, result, total), {
      undo: done.length > 0 ? undo : undefined,
      kind: failed.length > 0 ? "bad" : "plain",
    });
    if (done.length === 0) return;
    void queries.invalidateQueries();
    onDone();
  };
}

/** What gives runs the values back that they had, those with the same value together. */
function tagUndos(key: string, runIds: string[], before: ReadonlyMap<string, string | null>): Undo[] {
  const byValue = new Map<string | null, string[]>();
  for (const runId of runIds) {
    const value = before.get(runId) ?? null;
    byValue.set(value, [...(byValue.get(value) ?? []), runId]);
  }
  return [...byValue].map(([value, ids]) => ({
    runIds: ids,
    change: value === null ? { delete_tag: key } : { set_tag: { key, value } },
  }));
}

function holderCount(values: (string | null)[]): number {
  return values.filter((value) => value !== null).length;
}
