// What the addresses of the models' pages say besides the path.

export type ModelOrder = "name" | "updated";

export interface ModelsSearch {
  /** The words or the filter that was typed. */
  query?: string;
  /** What the list is sorted by; the name, where it is left out. */
  sort?: ModelOrder;
}

/** Read the search parameters of an address; what does not fit is left out. */
export function readModelsSearch(search: Record<string, unknown>): ModelsSearch {
  return {
    query: textOf(search.query),
    sort: search.sort === "updated" ? "updated" : undefined,
  };
}

export interface CompareVersionsSearch {
  /** The numbers of the versions that are compared, in the order of their columns. */
  versions?: string[];
  /** Whether rows in which all are equal are left out. */
  differences?: boolean;
}

export function readCompareVersionsSearch(search: Record<string, unknown>): CompareVersionsSearch {
  const versions = Array.isArray(search.versions) ? search.versions : [];
  const numbers = versions.map(String).filter((version) => /^\d+$/.test(version));
  return { versions: [...new Set(numbers)], differences: search.differences === true ? true : undefined };
}

export interface ModelFilesSearch {
  /** The artifact that is shown, of a model version or a logged model. */
  path?: string;
}

export function readModelFilesSearch(search: Record<string, unknown>): ModelFilesSearch {
  return { path: textOf(search.path) };
}

// A word such as 12 or true in an address is read as JSON, and was meant as text.
function textOf(value: unknown): string | undefined {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return undefined;
  return String(value) === "" ? undefined : String(value);
}
