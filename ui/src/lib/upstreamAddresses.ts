// Addresses of upstream's UI, which stand in notes, chats and bookmarks: the pages of ours that show the same.

/** What an address says behind its path: words, or what JSON says. */
type Search = Readonly<Record<string, unknown>>;

const RUN_TABS: Readonly<Record<string, string>> = { "model-metrics": "metrics", "system-metrics": "system" };

/**
 * Return the path and search of our page for an address of upstream's; undefined where we have none.
 *
 * @param path as it is in the address, its parts encoded: `/experiments/1/runs/0af3/artifacts/model`.
 */
export function ownAddress(path: string, search: Search): string | undefined {
  const [area, first, ...rest] = path.split("/").filter(Boolean).map(decoded);
  switch (area) {
    case "experiments":
      return first === undefined ? undefined : ofExperiment(first, rest, search);
    case "compare-experiments": {
      const experimentIds = textsIn(search.experiments);
      return experimentIds.length > 0 ? address(["experiments", experimentIds.join(",")]) : undefined;
    }
    case "metric":
      return ofMetric(first === undefined ? textOf(search.metric) : [first, ...rest].join("/"), search);
    case "compare-model-versions": {
      const name = textOf(search.name);
      const versions = isRecord(search.runs) ? textsIn(Object.values(search.runs)) : [];
      return name && versions.length > 0 ? address(["models", name, "compare"], { versions }) : undefined;
    }
    case "models":
      return first !== undefined && rest[0] === "versions" && rest[1] !== undefined
        ? address(["models", first, "versions", rest[1]])
        : undefined;
    default:
      return undefined;
  }
}

/** What of upstream's view of an experiment's runs is in its address, in our words. */
export function ownRunsSearch(search: Search): Record<string, unknown> {
  const { searchFilter, compareRunsMode, lifecycleFilter, orderByKey, orderByAsc } = search;
  const filter = textOf(searchFilter);
  const key = textOf(orderByKey);
  return {
    ...(filter !== undefined && { filter }),
    ...(compareRunsMode === "CHART" && { tab: "charts" }),
    ...(lifecycleFilter === "Deleted" && { trash: true }),
    ...(key !== undefined && { order: `${key.replaceAll("`", "")} ${orderByAsc === true ? "ASC" : "DESC"}` }),
  };
}

function ofExperiment(experimentId: string, [kind, id, tab, ...below]: string[], search: Search): string | undefined {
  const page = ["experiments", experimentId];
  if (kind === "runs" && id !== undefined) {
    if (tab === "artifacts" || tab === "artifactPath") {
      return address([...page, "runs", id], { tab: "artifacts", path: below.join("/") || undefined });
    }
    return address([...page, "runs", id], { tab: RUN_TABS[tab ?? ""] });
  }
  if (kind === "models" && id !== undefined) return address([...page, "models", id]);
  if (kind === undefined) return undefined;
  return address(page, kind === "models" ? { tab: "models" } : ownRunsSearch(search));
}

/** A metric's page is the curves of its runs, and of a single run its metrics. */
function ofMetric(metric: string | undefined, search: Search): string | undefined {
  const runs = textsIn(search.runs);
  const [runId] = runs;
  const [experimentId] = textsIn(search.experiments);
  if (runId === undefined) return undefined;
  const charts = metric === undefined ? undefined : { version: 1, search: metric };
  return runs.length === 1 && experimentId !== undefined
    ? address(["experiments", experimentId, "runs", runId], { tab: "metrics", charts })
    : address(["compare-runs"], { runs, tab: "curves", charts });
}

function address(parts: readonly string[], search: Search = {}): string {
  const pairs = Object.entries(search).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [`${name}=${encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value))}`],
  );
  return `/${parts.map(encodeURIComponent).join("/")}${pairs.length > 0 ? `?${pairs.join("&")}` : ""}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf).filter((text) => text !== undefined) : [];
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  return String(value).trim() === "" ? undefined : String(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
