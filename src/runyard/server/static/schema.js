// What a JSON schema says, in words and in examples. No drawing here.

/** The schema that `schema` refers to, or itself; null is left out of a choice, since every optional field may be null. */
export function resolve(document, schema) {
  if (schema.$ref) return resolve(document, schema.$ref.split("/").slice(1).reduce((node, step) => node[step], document));
  const choices = (schema.anyOf ?? []).filter((choice) => choice.type !== "null");
  if (choices.length === 1) {
    const { anyOf, ...rest } = schema;
    return { ...resolve(document, choices[0]), ...rest };
  }
  return schema;
}

/** A schema's type and limits in words, such as "array of MetricPoint, at most 1000". */
export function typeText(document, schema) {
  const { text, limits } = describe(document, schema);
  return [text, ...limits].join(", ");
}

/** The schema of the object inside: of the value itself, of a list's items or of a map's values; null where it is none. */
export function nested(document, schema) {
  const found = resolve(document, schema);
  if (found.properties) return found;
  if (found.items) return nested(document, found.items);
  if (typeof found.additionalProperties === "object") return nested(document, found.additionalProperties);
  return null;
}

/** The fields of an object's schema, the required ones first. */
export function fieldsOf(schema) {
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => ({ name, schema: field, isRequired: required.has(name) }));
  return [...fields.filter((field) => field.isRequired), ...fields.filter((field) => !field.isRequired)];
}

/** A value for an example: the schema's own, or one made of its type. */
export function example(document, schema, name = "value", depth = 0) {
  const found = resolve(document, schema);
  if (found.examples?.length) return found.examples[0];
  if (found.enum) return found.enum[0];
  const choice = found.anyOf ? resolve(document, found.anyOf[0]) : found;
  const type = Array.isArray(choice.type) ? choice.type[0] : choice.type;
  if (type === "array") return depth > 3 ? [] : [example(document, choice.items ?? {}, name, depth + 1)];
  if (type === "object" || choice.properties) return exampleObject(document, choice, depth + 1);
  if (type === "integer") return name.includes("time") ? 1767225600000 : 1;
  if (type === "number") return 0.5;
  if (type === "boolean") return true;
  return name;
}

/** An object with the fields that are required, and those that have an example. */
export function exampleObject(document, schema, depth = 0) {
  const wanted = fieldsOf(schema).filter((field) => field.isRequired || resolve(document, field.schema).examples);
  return Object.fromEntries(wanted.map((field) => [field.name, example(document, field.schema, field.name, depth)]));
}

/** The command that asks an operation, ready to be pasted into a shell. */
export function curlText(document, address, method, operation) {
  let path = address;
  const query = [];
  for (const parameter of operation.parameters ?? []) {
    const value = example(document, parameter.schema, parameter.name);
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    const isShown = parameter.required || parameter.schema.examples;
    if (parameter.in === "query" && isShown) for (const one of [value].flat()) query.push([parameter.name, one]);
  }
  const root = document.root.replace(/\/$/, "");
  const search = query.length ? `?${new URLSearchParams(query)}` : "";
  const parts = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${quoted(root + path + search)}`];
  const content = operation.requestBody?.content ?? {};
  if (content["application/json"]) {
    const body = exampleObject(document, resolve(document, content["application/json"].schema));
    parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  } else if (operation.requestBody) {
    parts.push("--data-binary @FILE");
  } else if (method === "get" && !operation.responses["200"].content["application/json"] && !operation.responses["200"].content["text/plain"]) {
    parts.push("-o FILE");
  }
  return parts.join(" \\\n  ");
}

function describe(document, schema) {
  const found = resolve(document, schema);
  const limits = limitsOf(found);
  if (found.anyOf) return { text: found.anyOf.map((one) => typeText(document, one)).join(" or "), limits };
  if (Array.isArray(found.type)) return { text: found.type.filter((type) => type !== "null").join(" or "), limits };
  if (found.type === "array") return { text: `array of ${typeText(document, found.items ?? {})}`, limits };
  if (typeof found.additionalProperties === "object") {
    return { text: `map to ${typeText(document, found.additionalProperties)}`, limits };
  }
  if (found.properties) return { text: found.title ?? "object", limits };
  return { text: found.type ?? "bytes", limits };
}

// Bounds that are those of a 64-bit integer say nothing that a reader needs.
const BORING = 2 ** 62;

function limitsOf({ minLength, maxLength, minItems, maxItems, minimum, maximum, pattern, enum: values }) {
  const said = [];
  const spans = [
    [minLength, maxLength, " characters"],
    [minItems, maxItems, ""],
    [minimum, maximum, ""],
  ];
  for (const [least, most, unit] of spans) {
    const isFrom = least !== undefined && Math.abs(least) < BORING;
    const isTo = most !== undefined && Math.abs(most) < BORING;
    if (isFrom && isTo) said.push(`${least} to ${most}${unit}`);
    else if (isFrom) said.push(`at least ${least}${unit}`);
    else if (isTo) said.push(`at most ${most}${unit}`);
  }
  if (pattern) said.push(`matching ${pattern}`);
  if (values) said.push(`one of ${values.join(", ")}`);
  return said;
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
