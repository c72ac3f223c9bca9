// What can be filtered by, entity by entity, as the server knows it (src/runyard/search/vocabularies.py).

export type Entity = "runs" | "experiments" | "registered_models";
export type Family = "attributes" | "metrics" | "params" | "tags" | "dataset";

/** What a field holds, which decides its comparators and its values. An identifier is an integer that travels as text. */
export type Kind = "text" | "integer" | "real" | "identifier";

/** What values of an attribute mean, where that helps to offer some. */
export type Meaning = "time" | "duration" | "status" | "stage" | "experiment";

export interface Attribute {
  name: string;
  kind: Kind;
  aliases?: string[];
  meaning?: Meaning;
}

export interface Vocabulary {
  attributes: Attribute[];
  datasetAttributes: Attribute[];
  /** The families whose keys are free. */
  keyed: Family[];
  prefixes: ReadonlyMap<string, Family>;
  /** The attribute that plain words are looked for in. */
  nameAttribute: string;
}

export interface Field {
  family: Family;
  /** A key, or the attribute's own name where an alias of it was written. */
  name: string;
  kind: Kind;
  meaning?: Meaning;
}

/** The names of what was logged, without prefixes. */
export interface KnownNames {
  metrics: string[];
  params: string[];
  tags: string[];
}

export const NO_NAMES: KnownNames = { metrics: [], params: [], tags: [] };

const PREFIXES: Record<Family, string[]> = {
  attributes: ["attributes", "attribute", "attr"],
  metrics: ["metrics", "metric"],
  params: ["params", "param", "parameters", "parameter"],
  tags: ["tags", "tag"],
  dataset: ["dataset", "datasets"],
};

function prefixes(...families: Family[]): [string, Family][] {
  return families.flatMap((family) => PREFIXES[family].map((prefix): [string, Family] => [prefix, family]));
}

const text = (name: string, meaning?: Meaning): Attribute => ({ name, kind: "text", meaning });
const time = (name: string, aliases?: string[]): Attribute => ({ name, kind: "integer", meaning: "time", aliases });

export const VOCABULARIES: Record<Entity, Vocabulary> = {
  runs: {
    attributes: [
      { ...text("run_name"), aliases: ["run name", "Run name", "Run Name"] },
      text("status", "status"),
      time("start_time", ["created", "Created"]),
      time("end_time"),
      { name: "duration", kind: "integer", meaning: "duration" },
      text("user_id"),
      text("run_id"),
      { name: "experiment_id", kind: "identifier", meaning: "experiment" },
      text("lifecycle_stage", "stage"),
      text("artifact_uri"),
    ],
    datasetAttributes: [text("name"), text("digest"), text("context")],
    keyed: ["metrics", "params", "tags"],
    prefixes: new Map([...prefixes("attributes", "metrics", "params", "tags", "dataset"), ["run", "attributes"]]),
    nameAttribute: "run_name",
  },
  experiments: {
    attributes: [
      text("name"),
      time("creation_time"),
      time("last_update_time"),
      { name: "experiment_id", kind: "identifier" },
      text("lifecycle_stage", "stage"),
      text("artifact_location"),
    ],
    datasetAttributes: [],
    keyed: ["tags"],
    prefixes: new Map(prefixes("attributes", "tags")),
    nameAttribute: "name",
  },
  registered_models: {
    attributes: [
      text("name"),
      text("description"),
      time("creation_timestamp"),
      time("last_updated_timestamp", ["timestamp"]),
    ],
    datasetAttributes: [],
    keyed: ["tags"],
    prefixes: new Map(prefixes("attributes", "tags")),
    nameAttribute: "name",
  },
};

/** The field of that family and name; undefined where there is no such attribute. */
export function fieldOf(vocabulary: Vocabulary, family: Family, name: string): Field | undefined {
  if (vocabulary.keyed.includes(family)) return { family, name, kind: family === "metrics" ? "real" : "text" };
  const attributes = family === "dataset" ? vocabulary.datasetAttributes : vocabulary.attributes;
  const attribute = attributes.find((each) => each.name === name || each.aliases?.includes(name));
  return attribute && { family, name: attribute.name, kind: attribute.kind, meaning: attribute.meaning };
}
