// A model's signature, from the text of its MLmodel file, as names and types to compare.
import type { Strings } from "../../i18n";
import { readModelFile, type SignatureColumn } from "../artifacts/mlmodel";

export interface SignatureParts {
  inputs: Map<string, string>;
  outputs: Map<string, string>;
  params: Map<string, string>;
}

type Words = Pick<Strings["models"], "optional">;

/** The parts of a file's signature; undefined where the file has none. */
export function signatureOf(modelFile: string, words: Words): SignatureParts | undefined {
  if (!/^signature:[ \t]*$/m.test(modelFile)) return undefined;
  const { inputs, outputs, params } = readModelFile(modelFile);
  const named = (columns: SignatureColumn[]) =>
    new Map(columns.map((column, index) => [column.name ?? `[${index}]`, textOf(column, words)]));
  return {
    inputs: named(inputs),
    outputs: named(outputs),
    params: new Map(params.map((param) => [param.name ?? "", `${param.type} = ${param.default}`])),
  };
}

function textOf(column: SignatureColumn, words: Words): string {
  return column.isRequired ? column.type : `${column.type} (${words.optional})`;
}
