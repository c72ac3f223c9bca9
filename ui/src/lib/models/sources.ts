// Where a model version comes from, and how code names models.

/** What the source of a version says. */
export type VersionSource =
  | { kind: "run"; runId: string; path: string }
  | { kind: "logged-model"; modelId: string }
  | { kind: "version"; name: string; version: string }
  | { kind: "other" };

/** Read a source URI: `runs:/<run>/<path>`, `models:/<logged model>`, `models:/<name>/<version>`, or another place. */
export function parseSource(source: string): VersionSource {
  const run = /^runs:\/+([^/]+)(?:\/(.*))?$/.exec(source);
  if (run) return { kind: "run", runId: run[1]!, path: run[2] ?? "" };
  const model = /^models:\/+([^/@]+)(?:\/([^/]+))?$/.exec(source);
  if (model?.[2]) return { kind: "version", name: model[1]!, version: model[2] };
  if (model) return { kind: "logged-model", modelId: model[1]! };
  return { kind: "other" };
}

/** The source of a version that is made of a folder of a run. */
export function runSource(runId: string, path: string): string {
  return `runs:/${runId}/${path.replace(/^\/+|\/+$/g, "")}`;
}

/** Code that loads a version by its number. */
export function loadByVersion(name: string, version: string): string {
  return loadCode(`models:/${name}/${version}`);
}

/** Code that loads whatever version has an alias. */
export function loadByAlias(name: string, alias: string): string {
  return loadCode(`models:/${name}@${alias}`);
}

/** Code that loads a logged model. */
export function loadLoggedModel(modelId: string): string {
  return loadCode(`models:/${modelId}`);
}

function loadCode(uri: string): string {
  return `import mlflow\n\nmodel = mlflow.pyfunc.load_model(${pythonText(uri)})`;
}

/** A text as Python source. */
export function pythonText(text: string): string {
  return JSON.stringify(text);
}
