// What the address of the runs page says besides the path: the whole view, so that a link shows what its sender saw.
import { parseColumn } from "../../lib/runs/columns";
import { parseOrder } from "../../lib/runs/scope";
import { ownRunsSearch } from "../../lib/upstreamAddresses";
import type { ChartsLayout } from "../charts/layout";

export type RunsTab = "table" | "charts" | "models";

export interface RunsSearch {
  tab?: RunsTab;
  /** The filter, in the server's grammar. */
  filter?: string;
  /** "metrics.loss DESC"; without it the newest first. */
  order?: string;
  /** The columns that are shown, in their order; without it those that come by themselves. */
  columns?: string[];
  pinned?: string[];
  /** In CSS pixels, of columns that were made wider or narrower. */
  widths?: Record<string, number>;
  /** Columns whose equal values make a group. */
  group?: string[];
  /** Whether children are shown below their parents; without it, where there are any. */
  tree?: boolean;
  /** Whether deleted runs are shown. */
  trash?: boolean;
  /** The ids of the runs that are selected, unless there are very many. */
  selected?: string[];
  charts?: ChartsLayout;
}

/** Read the search parameters of an address; what does not fit is left out. */
export function readRunsSearch(search: Record<string, unknown>): RunsSearch {
  const { tab, filter, order, columns, pinned, widths, group, tree, trash, selected, charts } = {
    ...ownRunsSearch(search),
    ...search,
  } as Record<string, unknown>;
  return compact({
    tab: tab === "charts" || tab === "models" ? tab : undefined,
    filter: typeof filter === "string" && filter.trim() !== "" ? filter : undefined,
    order: typeof order === "string" && parseOrder(order) ? order : undefined,
    columns: columnNames(columns),
    pinned: columnNames(pinned),
    widths: isRecord(widths)
      ? Object.fromEntries(
          Object.entries(widths).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
        )
      : undefined,
    group: columnNames(group),
    tree: typeof tree === "boolean" ? tree : undefined,
    trash: trash === true ? true : undefined,
    selected: texts(selected),
    charts: isRecord(charts) ? (charts as unknown as ChartsLayout) : undefined,
  });
}

/** Without what is undefined or empty, so that the address says only what is not so by itself. */
export function compact(search: RunsSearch): RunsSearch {
  return Object.fromEntries(
    Object.entries(search).filter(
      ([, value]) =>
        value !== undefined &&
        !(Array.isArray(value) && value.length === 0) &&
        !(isRecord(value) && Object.keys(value).length === 0),
    ),
  );
}

function columnNames(value: unknown): string[] | undefined {
  return texts(value)?.filter((name) => parseColumn(name) !== undefined);
}

function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
