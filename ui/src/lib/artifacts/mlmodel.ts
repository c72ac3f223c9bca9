// The MLmodel file of a model: what can be told of it without reading all of YAML.

export interface SignatureColumn {
  /** Left out where columns have no names. */
  name?: string;
  type: string;
  isRequired: boolean;
}

export interface ModelFile {
  flavors: string[];
  inputs: SignatureColumn[];
  outputs: SignatureColumn[];
  params: (SignatureColumn & { default: string })[];
  mlflowVersion: string | undefined;
  created: string | undefined;
  sizeBytes: number | undefined;
  modelId: string | undefined;
}

interface RawColumn {
  name?: string;
  type: string;
  required?: boolean;
  optional?: boolean;
  default?: unknown;
  "tensor-spec"?: { dtype: string; shape: number[] };
  items?: RawColumn;
  properties?: Record<string, RawColumn>;
}

/** Read the text of an MLmodel file; a field that is not there, or not as clients write it, is undefined or empty. */
export function readModelFile(text: string): ModelFile {
  const field = (name: string) => scalar(new RegExp(`^${name}: *(.*)$`, "m").exec(text)?.[1]);
  const signature = blockOf(text, "signature");
  const columns = (name: string) => columnsOf(jsonOf(signature, name));
  const size = Number(field("model_size_bytes"));
  return {
    flavors: [...blockOf(text, "flavors").matchAll(/^ {2}([\w.-]+):/gm)].map((match) => match[1]!),
    inputs: columns("inputs").map(columnOf),
    outputs: columns("outputs").map(columnOf),
    params: columns("params").map((column) => ({
      ...columnOf(column),
      default: JSON.stringify(column.default ?? null),
    })),
    mlflowVersion: field("mlflow_version"),
    created: field("utc_time_created"),
    sizeBytes: size > 0 ? size : undefined,
    modelId: field("model_id"),
  };
}

/** The indented lines below a field of the top. */
function blockOf(text: string, name: string): string {
  return new RegExp(`^${name}:[ \\t]*\\n((?:[ \\t].*(?:\\n|$)|\\n)*)`, "m").exec(text)?.[1] ?? "";
}

/** A field's value that is JSON within quotes of YAML, which may go over several lines. */
function jsonOf(block: string, name: string): unknown {
  const match = new RegExp(`^ +${name}: *(?:'((?:[^']|'')*)'|("(?:[^"\\\\]|\\\\[^])*"))`, "m").exec(block);
  if (!match) return undefined;
  try {
    // A line break within quotes stands for a space; in double quotes a backslash before it takes it away.
    if (match[1] !== undefined) return JSON.parse(match[1].replace(/\n\s*/g, " ").replaceAll("''", "'"));
    const unfolded = match[2]!.replace(/\\\n\s*\\?/g, "").replace(/\n\s*/g, " ");
    return JSON.parse(JSON.parse(unfolded) as string);
  } catch {
    return undefined;
  }
}

function columnsOf(value: unknown): RawColumn[] {
  return Array.isArray(value) ? (value as RawColumn[]) : [];
}

function columnOf(column: RawColumn): SignatureColumn {
  return {
    ...(column.name === undefined ? {} : { name: column.name }),
    type: typeText(column),
    isRequired: column.required !== false && column.optional !== true,
  };
}

/** A column's type in words: "double", "tensor float32 [-1, 4]", "array of string". */
function typeText(column: RawColumn): string {
  const tensor = column["tensor-spec"];
  if (tensor) return `tensor ${tensor.dtype} [${tensor.shape.join(", ")}]`;
  if (column.type === "array" && column.items) return `array of ${typeText(column.items)}`;
  if (column.type === "object" && column.properties) {
    const fields = Object.entries(column.properties).map(([name, inner]) => `${name}: ${typeText(inner)}`);
    return `{ ${fields.join(", ")} }`;
  }
  return column.type;
}

function scalar(text: string | undefined): string | undefined {
  const value = text?.trim().replace(/^(['"])(.*)\1$/, "$2");
  return value === undefined || value === "" || value === "null" || value === "~" ? undefined : value;
}
