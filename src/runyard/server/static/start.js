// The start page: experiments and the latest runs, asked for again every few seconds, and one run in full.
//
// Its addresses are those that MLflow's clients print: #/experiments/1 and #/experiments/1/runs/<run id>.

import { codeBlock, h } from "./dom.js";
import { duration, number, since, size } from "./format.js";

const REFRESH_MS = 5000;
const EXPERIMENTS = 100;
const RUNS = 50;
const METRICS_IN_A_ROW = 2;

// Where the server is, as this reader sees it: proxies may put a path before it.
const root = new URL("..", import.meta.url);
const main = document.getElementById("main");
const page = document.querySelector(".page");

let shown = "";
let timer = 0;

document.getElementById("snippet").append(
  codeBlock(
    `import mlflow

mlflow.set_tracking_uri("${root.href.replace(/\/$/, "")}")
mlflow.set_experiment("first steps")
with mlflow.start_run():
    mlflow.log_param("learning_rate", 0.1)
    for step in range(100):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("hello", "notes.txt")`,
    "the example",
  ),
);
addEventListener("hashchange", () => {
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
  refresh();
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());
refresh();

async function refresh() {
  clearTimeout(timer);
  const address = location.hash;
  const [, experimentId, runId] = /^#\/experiments\/([^/?]+)(?:\/runs\/([^/?]+))?/.exec(address) ?? [];
  let parts;
  try {
    parts = runId ? await runView(decodeURIComponent(runId)) : await listView(experimentId && decodeURIComponent(experimentId));
  } catch (error) {
    parts = { title: "Runyard", state: String(error), nodes: () => [h("p", { class: "problem", role: "alert" }, error.message)] };
  }
  if (location.hash !== address) return;
  page.classList.toggle("is-detail", Boolean(runId));
  document.title = parts.title;
  // Drawn again only where it is another, so that nobody's selection or focus is lost to a refresh.
  const state = address + parts.state;
  if (state !== shown) {
    shown = state;
    main.replaceChildren(...parts.nodes());
  }
  if (!document.hidden) timer = setTimeout(refresh, REFRESH_MS);
}

async function listView(experimentId) {
  const experiments = experimentId
    ? [(await get("experiments/get", { experiment_id: experimentId })).experiment]
    : ((await post("experiments/search", { max_results: EXPERIMENTS, order_by: ["last_update_time DESC"] })).experiments ?? []);
  const ids = experiments.map((experiment) => experiment.experiment_id);
  const runs = ids.length
    ? ((await post("runs/search", { experiment_ids: ids, max_results: RUNS, order_by: ["start_time DESC"] })).runs ?? [])
    : [];
  const names = new Map(experiments.map((experiment) => [experiment.experiment_id, experiment.name]));
  // Times are told as "3 min ago", so a minute that passes is a change.
  const state = JSON.stringify([experiments, runs, Math.floor(Date.now() / 60000)]);
  const title = experimentId ? `${experiments[0].name} · Runyard` : "Runyard";
  return { title, state, nodes: () => (experimentId ? oneExperiment(experiments[0], runs) : overview(experiments, runs, names)) };
}

function overview(experiments, runs, names) {
  return [
    h("h2", {}, "Latest runs"),
    runs.length
      ? runTable(runs, names)
      : h("p", { class: "empty" }, "No runs yet. The lines of Python on this page log the first one; it appears here by itself."),
    h("h2", {}, "Experiments"),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, h("th", {}, "Name"), h("th", {}, "Id"), h("th", { class: "wide" }, "Artifacts"), h("th", {}, "Changed"))),
        h(
          "tbody",
          {},
          experiments.map((experiment) =>
            h(
              "tr",
              {},
              h("td", { class: "name" }, h("a", { href: experimentLink(experiment.experiment_id) }, experiment.name)),
              h("td", { class: "mono" }, experiment.experiment_id),
              h("td", { class: "mono wide" }, experiment.artifact_location),
              h("td", {}, moment(experiment.last_update_time)),
            ),
          ),
        ),
      ),
    ),
  ];
}

function oneExperiment(experiment, runs) {
  return [
    h("p", { class: "crumbs" }, h("a", { href: "#/" }, "All experiments")),
    h("h1", {}, experiment.name),
    facts([
      ["Id", h("span", { class: "mono" }, experiment.experiment_id)],
      ["Artifacts", h("span", { class: "mono" }, experiment.artifact_location)],
      experiment.lifecycle_stage !== "active" && ["Stage", experiment.lifecycle_stage],
    ]),
    h("h2", {}, "Latest runs"),
    runs.length ? runTable(runs, null) : h("p", { class: "empty" }, "No runs in this experiment."),
  ];
}

function runTable(runs, names) {
  const head = [
    h("th", {}, "Run"),
    names && h("th", { class: "wide" }, "Experiment"),
    h("th", {}, "Status"),
    h("th", {}, "Started"),
    h("th", { class: "number wide" }, "Took"),
    h("th", { class: "wide" }, "Metrics"),
  ];
  const rows = runs.map(({ info, data }) =>
    h(
      "tr",
      {},
      h("td", { class: "name run" }, h("a", { href: runLink(info) }, info.run_name || info.run_id)),
      names && h("td", { class: "wide" }, h("a", { href: experimentLink(info.experiment_id) }, names.get(info.experiment_id) ?? info.experiment_id)),
      h("td", {}, status(info.status)),
      h("td", {}, moment(info.start_time)),
      h("td", { class: "number wide nowrap" }, duration(info.start_time, info.end_time)),
      h("td", { class: "wide" }, someMetrics(data.metrics ?? [])),
    ),
  );
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)));
}

function someMetrics(metrics) {
  const first = metrics.slice(0, METRICS_IN_A_ROW);
  return [
    first.map((metric) => [h("span", { class: "metric" }, `${metric.key} `, h("b", {}, number(metric.value))), " "]),
    metrics.length > first.length && h("span", { class: "muted" }, `+${metrics.length - first.length}`),
  ];
}

async function runView(runId) {
  const [{ run }, artifacts] = await Promise.all([
    get("runs/get", { run_id: runId }),
    get("artifacts/list", { run_id: runId }).catch((error) => ({ problem: error.message })),
  ]);
  const { experiment } = await get("experiments/get", { experiment_id: run.info.experiment_id });
  const state = JSON.stringify([run, artifacts, experiment]);
  return { title: `${run.info.run_name} · Runyard`, state, nodes: () => oneRun(run, experiment, artifacts) };
}

function oneRun({ info, data, inputs }, experiment, artifacts) {
  const tags = (data.tags ?? []).filter((tag) => !tag.key.startsWith("mlflow."));
  return [
    h(
      "p",
      { class: "crumbs" },
      h("a", { href: "#/" }, "All experiments"),
      " / ",
      h("a", { href: experimentLink(info.experiment_id) }, experiment.name),
    ),
    h("h1", {}, info.run_name || info.run_id),
    facts([
      ["Status", status(info.status)],
      ["Run id", h("span", { class: "mono" }, info.run_id)],
      ["Started", moment(info.start_time)],
      info.end_time && ["Took", duration(info.start_time, info.end_time)],
      info.user_id && ["User", info.user_id],
      info.lifecycle_stage !== "active" && ["Stage", info.lifecycle_stage],
      ["Artifacts", h("span", { class: "mono" }, info.artifact_uri)],
    ]),
    h(
      "div",
      { class: "columns" },
      section(
        "Metrics",
        data.metrics,
        ["Metric", ["Latest", "number"], ["Step", "number"]],
        (metric) => [metric.key, [number(metric.value), "number"], [String(metric.step), "number"]],
      ),
      section("Params", data.params, ["Param", "Value"], (param) => [param.key, [param.value, "text"]]),
      section("Tags", tags, ["Tag", "Value"], (tag) => [tag.key, [tag.value, "text"]]),
      section("Datasets", inputs?.dataset_inputs, ["Dataset", "Digest"], ({ dataset }) => [dataset.name, [dataset.digest, "mono"]]),
      artifactSection(info, artifacts),
    ),
  ];
}

function artifactSection(info, artifacts) {
  if (artifacts.problem) return h("section", {}, h("h2", {}, "Artifacts"), h("p", { class: "muted" }, artifacts.problem));
  return section("Artifacts", artifacts.files, ["File", ["Size", "number"]], (file) => [
    file.is_dir
      ? `${file.path}${file.is_dir ? "/" : ""}`
      : h("a", { href: url("get-artifact", { run_id: info.run_id, path: file.path }), download: "" }, file.path),
    [file.is_dir ? "folder" : size(file.file_size ?? 0), "number"],
  ]);
}

/** A table of items under a heading, or nothing where there are none; a cell is its content, or that and a class. */
function section(title, items, heads, cells) {
  if (!items?.length) return null;
  const cell = (tag, given) => {
    const [content, kind] = Array.isArray(given) ? given : [given, null];
    return h(tag, { class: kind }, content);
  };
  return h(
    "section",
    {},
    h("h2", {}, title),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, heads.map((head) => cell("th", head)))),
        h("tbody", {}, items.map((item) => h("tr", {}, cells(item).map((content) => cell("td", content))))),
      ),
    ),
  );
}

function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function status(name) {
  return h("span", { class: "status", "data-status": name }, name.toLowerCase());
}

function moment(timestampMs) {
  if (!timestampMs) return "";
  const date = new Date(timestampMs);
  return h("time", { datetime: date.toISOString(), title: date.toLocaleString() }, since(timestampMs, Date.now()));
}

function experimentLink(experimentId) {
  return `#/experiments/${encodeURIComponent(experimentId)}`;
}

function runLink(info) {
  return `${experimentLink(info.experiment_id)}/runs/${encodeURIComponent(info.run_id)}`;
}

function url(path, query = {}) {
  const found = new URL(path, root);
  found.search = new URLSearchParams(query);
  return found.href;
}

function get(path, query) {
  return call(url(`ajax-api/2.0/mlflow/${path}`, query), {});
}

function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return call(url(`ajax-api/2.0/mlflow/${path}`), { method: "POST", headers, body: JSON.stringify(body) });
}

async function call(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Error("The server does not answer. It is asked again every few seconds.");
  }
  const answer = await response.json().catch(() => ({ message: `The server answered with status ${response.status}.` }));
  if (!response.ok) throw new Error(answer.message);
  return answer;
}
