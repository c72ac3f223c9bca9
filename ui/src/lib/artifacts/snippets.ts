// Lines that load or ask a model, ready to be copied.
import type { SignatureColumn } from "./mlmodel";

/** Where a model is, as clients name it: `runs:/<run id>/<folder>`, `models:/<name>/<version>`, `models:/<model id>`. */
export function pythonSnippet(modelUri: string, columns: readonly SignatureColumn[]): string {
  const lines = ["import mlflow", ""];
  if (columns.some(({ name }) => name !== undefined)) {
    const cells = columns.map(({ name, type }) => `    ${JSON.stringify(name ?? "")}: [${pythonExample(type)}],`);
    lines.push("import pandas as pd", "", "data = pd.DataFrame({", ...cells, "})");
  }
  return [...lines, `model = mlflow.pyfunc.load_model(${JSON.stringify(modelUri)})`, "model.predict(data)"].join("\n");
}

/** A request to a scoring server that serves the model. */
export function curlSnippet(columns: readonly SignatureColumn[]): string {
  const named = columns.filter((column) => column.name !== undefined);
  const body =
    named.length > 0
      ? { dataframe_split: { columns: named.map(({ name }) => name), data: [named.map(({ type }) => example(type))] } }
      : { inputs: [[1.0, 2.0]] };
  const json = JSON.stringify(body).replaceAll("'", "'\\''");
  return `curl http://127.0.0.1:5001/invocations -H 'Content-Type: application/json' -d '${json}'`;
}

export function sparkSnippet(modelUri: string, columns: readonly SignatureColumn[]): string {
  const names = columns.map(({ name }) => JSON.stringify(name ?? "column")).join(", ");
  return [
    "import mlflow",
    "",
    `predict = mlflow.pyfunc.spark_udf(spark, model_uri=${JSON.stringify(modelUri)})`,
    `frame.withColumn("prediction", predict(${names || '"column"'}))`,
  ].join("\n");
}

function example(type: string): unknown {
  if (/string|datetime/.test(type)) return "text";
  if (/bool/.test(type)) return true;
  return /double|float/.test(type) ? 1.5 : 1;
}

function pythonExample(type: string): string {
  const value = example(type);
  return value === true ? "True" : JSON.stringify(value);
}
