// The tags of a selection of runs: which keys there are, and what each run has.
import { api, ask } from "../api/client";
import { isOwnTag } from "../components/Tags";

const MAX_RUNS = 5000;
const MAX_COLUMNS = 1000;

/** The values of tags, by key: one a run, in the order of the runs; null where a run has no such tag. */
export type TagValues = Map<string, (string | null)[]>;

/** The keys of the tags that runs of the same experiments have, without those that clients keep for themselves. */
export async function knownTagKeys(runIds: string[], signal?: AbortSignal): Promise<string[]> {
  const column = "attributes.experiment_id";
  const experimentIds = new Set((await readColumns(runIds, [column], signal)).get(column)?.map(String));
  if (experimentIds.size === 0) return [];
  const body = { experiment_ids: [...experimentIds] };
  const { tags } = await ask(api.POST("/api/1.0/runyard/runs/columns", { body, signal }));
  return tags.filter((key) => !isOwnTag(key));
}

/** What runs have for tags of these keys; keys that none has are left out. */
export async function tagValues(runIds: string[], keys: string[], signal?: AbortSignal): Promise<TagValues> {
  const values: TagValues = new Map();
  for (let at = 0; at < keys.length; at += MAX_COLUMNS) {
    const columns = keys.slice(at, at + MAX_COLUMNS).map((key) => `tags.${key}`);
    for (const [column, cells] of await readColumns(runIds, columns, signal)) {
      if (cells.some((cell) => cell !== null)) values.set(column.slice("tags.".length), cells);
    }
  }
  return values;
}

async function readColumns(runIds: string[], columns: string[], signal?: AbortSignal): Promise<TagValues> {
  const found: TagValues = new Map(columns.map((name) => [name, []]));
  for (let at = 0; at < runIds.length; at += MAX_RUNS) {
    const body = { run_ids: runIds.slice(at, at + MAX_RUNS), columns };
    const answer = await ask(api.POST("/api/1.0/runyard/runs/table", { body, signal }));
    // Runs that are gone are left out of the answer.
    const places = new Map(answer.run_ids.map((runId, place) => [runId, place]));
    for (const name of columns) {
      const cells = answer.columns[name] ?? [];
      for (const runId of body.run_ids) {
        const cell = cells[places.get(runId) ?? -1] ?? null;
        found.get(name)!.push(cell === null ? null : String(cell));
      }
    }
  }
  return found;
}
