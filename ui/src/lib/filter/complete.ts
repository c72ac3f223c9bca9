// What may be written where the caret is in a filter: fields, comparators, values, and what joins clauses.
import { comparatorsOf, fieldText, type Place, walk } from "./check";
import { keyText, quoted, type Token, tokenize } from "./tokenize";
import {
  type Entity,
  type Family,
  type Field,
  fieldOf,
  type KnownNames,
  NO_NAMES,
  type Vocabulary,
  VOCABULARIES,
} from "./vocabulary";

export const MAX_COMPLETIONS = 50;

/** What a completion is, which decides how it is described. */
export type CompletionKind =
  | Family // a field of that family
  | "name" // the whole text as a part of a name
  | "comparator"
  | "value"
  | "pattern"
  | "time"
  | "duration"
  | "keyword";

export interface Completion {
  kind: CompletionKind;
  /** What is shown: the text that is put in, or for a time how long ago it is. */
  label: string;
  /** What is put in place of `from` to `to`. */
  text: string;
  from: number;
  to: number;
}

export interface Completions {
  items: Completion[];
  /** The values that would be offered too, if the server were asked for those that contain something. */
  values?: { column: string; contains: string };
  /** That a number is to be written, which nobody can offer. */
  wantsNumber: boolean;
}

export interface Context {
  entity: Entity;
  names?: KnownNames;
  /** Values that the server gave for what `values` asks. */
  values?: string[];
  experimentIds?: string[];
  nowMs?: number;
}

/** How long ago the moments are that are offered for times; the names are those of the catalogue. */
export const MOMENTS = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000, month: 30 * 86_400_000 } as const;
/** The same for durations. */
export const DURATIONS = { minute: 60_000, tenMinutes: 600_000, hour: 3_600_000, day: 86_400_000 } as const;

const BY_ITSELF = /^(mlflow|runyard|system)[./]/;
const STATUSES = ["FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED"];
const STAGES = ["active", "deleted"];
const CHUNK = /[^\s()'"`,=<>!]*$/;
const CHUNK_REST = /^[^\s()'"`,=<>!]*/;
/** What may stand between the caret and a quote that closes what is being written. */
const QUOTED_REST = /^[\p{L}\p{N}_.:/\-%]*/u;

/** What is being written: its start and end, what there is of it, and whether in quotes. */
interface Partial {
  from: number;
  to: number;
  typed: string;
  quote?: string;
  /** What stands before the dot of a field whose key is in quotes. */
  prefix?: string;
}

/** What may stand where the caret is. */
export function complete(filter: string, caret: number, context: Context): Completions {
  const vocabulary = VOCABULARIES[context.entity];
  const names = context.names ?? NO_NAMES;
  const head = filter.slice(0, caret);
  const part = partialOf(filter, head);
  const before = head.slice(0, part.from);
  const place = placeAfter(before, vocabulary, names);
  const none: Completions = { items: [], wantsNumber: false };
  const words = nameSearch(filter, context.entity);
  if (!place) return words ? { items: [words], wantsNumber: false } : none;
  const write = (items: Omit<Completion, "from" | "to">[]): Completion[] =>
    items.slice(0, MAX_COMPLETIONS).map((item) => ({ ...item, from: part.from, to: part.to }));
  // A word touches what is before it only where a space is put between them.
  const space = before === "" || /[\s(,]$/.test(before) ? "" : " ";
  switch (place.expected) {
    case "term": {
      const items = write(fieldItems(part, vocabulary, names));
      return words ? { items: [words, ...items], wantsNumber: false } : { items, wantsNumber: false };
    }
    case "comparator":
    case "negated":
    case "presence":
    case "null":
      return part.quote ? none : { items: write(comparatorItems(place, part, space)), wantsNumber: false };
    case "value":
    case "pattern":
    case "member":
    case "low":
    case "high":
      return valueCompletions(place, part, space, context, write);
    case "join":
      // Right behind a clause nothing is offered, so that Enter applies it.
      if (space || part.quote) return none;
      return { items: write(keywords(place.depth > 0 ? ["AND", "OR", ")"] : ["AND", "OR"], part)), wantsNumber: false };
    case "and":
      return { items: write(keywords(["AND"], part)), wantsNumber: false };
    case "list":
      return { items: write(keywords(["("], part)), wantsNumber: false };
    case "nextMember":
      return { items: write(keywords([",", ")"], part)), wantsNumber: false };
  }
}

/** The filter with a completion put in, and where the caret is then. */
export function take(filter: string, { from, to, text }: Pick<Completion, "from" | "to" | "text">) {
  const rest = text.endsWith(" ") ? filter.slice(to).replace(/^ /, "") : filter.slice(to);
  return { text: filter.slice(0, from) + text + rest, caret: from + text.length };
}

/**
 * The whole text as a search for a part of a name, where it is plain words and no beginning of a clause.
 *
 * `adam 03` is; `status`, `metrics.loss`, `lr = 1` and what holds quotes or parentheses are not.
 */
export function nameSearch(filter: string, entity: Entity): Completion | undefined {
  const words = filter.trim();
  const vocabulary = VOCABULARIES[entity];
  if (words === "" || /[()'"`=<>!]/.test(words)) return undefined;
  const [first] = tokenize(words) as [Token, ...Token[]];
  const isField =
    (first.kind === "field" && vocabulary.prefixes.has(first.prefix)) ||
    (first.kind === "word" && words.charAt(first.to) === "." && vocabulary.prefixes.has(first.value)) ||
    (first.kind === "word" && fieldOf(vocabulary, "attributes", first.value) !== undefined) ||
    (first.keyword === "NOT" && words !== first.text);
  if (isField) return undefined;
  const text = `attributes.${vocabulary.nameAttribute} ILIKE ${quoted(`%${words}%`, "'")}`;
  return { kind: "name", label: words, text, from: 0, to: filter.length };
}

function placeAfter(before: string, vocabulary: Vocabulary, names: KnownNames): Place | undefined {
  const place = walk(tokenize(before), before, vocabulary, names);
  // What is before the caret may only lack its end.
  return place.problem && !place.problem.isUnfinished ? undefined : place;
}

function partialOf(filter: string, head: string): Partial {
  const last = tokenize(head).at(-2);
  if (last?.flaw === "unclosedQuote") {
    const quote = last.text;
    const typed = head.slice(last.to).replaceAll(quote + quote, quote);
    const prefix = /([\p{L}_][\p{L}\p{N}_]*)\.$/u.exec(head.slice(0, last.from))?.[1];
    const rest = QUOTED_REST.exec(filter.slice(head.length))![0].length;
    const closes = filter.charAt(head.length + rest) === quote;
    const from = prefix === undefined ? last.from : last.from - prefix.length - 1;
    return { from, to: closes ? head.length + rest + 1 : head.length, typed, quote, prefix };
  }
  const typed = CHUNK.exec(head)![0];
  const rest = CHUNK_REST.exec(filter.slice(head.length))![0];
  return { from: head.length - typed.length, to: head.length + rest.length, typed };
}

function fieldItems(part: Partial, vocabulary: Vocabulary, names: KnownNames): Omit<Completion, "from" | "to">[] {
  let typed = part.typed;
  let family: Family | undefined;
  if (part.prefix !== undefined) {
    family = vocabulary.prefixes.get(part.prefix);
    if (!family) return [];
  } else if (part.quote === "'") {
    return [];
  } else {
    const dot = typed.indexOf(".");
    family = dot > 0 ? vocabulary.prefixes.get(typed.slice(0, dot)) : undefined;
    if (family) typed = typed.slice(dot + 1);
  }
  const fields: [Family, string][] = [];
  const add = (from: Family, all: string[]) => {
    if (!family || family === from) fields.push(...all.map((name): [Family, string] => [from, name]));
  };
  add(
    "attributes",
    vocabulary.attributes.map(({ name }) => name),
  );
  for (const keyed of vocabulary.keyed) add(keyed, ownFirst(names[keyed as keyof KnownNames]));
  // Datasets are seldom asked for: only where their name is being written.
  if (family === "dataset" || (typed !== "" && "dataset".startsWith(typed))) {
    add(
      "dataset",
      vocabulary.datasetAttributes.map(({ name }) => name),
    );
  }
  const ranked = rank(fields, typed, ([from, name]) => (family ? [name] : [name, `${from}.${name}`]));
  const items: Omit<Completion, "from" | "to">[] = ranked.map(([from, name]) => {
    const text = fieldText({ family: from, name });
    return { kind: from, label: from === "attributes" ? name : `${from}.${name}`, text: `${text} ` };
  });
  if (!family && !part.quote && typed !== "" && "not".startsWith(typed.toLowerCase())) {
    items.push({ kind: "keyword", label: "NOT", text: "NOT " });
  }
  return items;
}

function comparatorItems(place: Place, part: Partial, space: string): Omit<Completion, "from" | "to">[] {
  let texts = comparatorsOf(place.field!);
  if (place.expected === "presence") texts = ["NULL", "NOT NULL"];
  if (place.expected === "null") texts = ["NULL"];
  if (place.expected === "negated") {
    texts = texts.filter((text) => text.startsWith("NOT ")).map((text) => text.slice("NOT ".length));
  }
  return rank(texts, part.typed, (text) => [text]).map((text) => ({
    kind: "comparator",
    label: text,
    text: `${space}${text}${text.endsWith("IN") ? " (" : " "}`,
  }));
}

function valueCompletions(
  place: Place,
  part: Partial,
  space: string,
  context: Context,
  write: (items: Omit<Completion, "from" | "to">[]) => Completion[],
): Completions {
  const field = place.field!;
  // The members of a list are followed by a comma or a parenthesis, the first end of a range by AND.
  const end = place.expected === "member" ? "" : place.expected === "low" ? " AND " : " ";
  if (field.kind === "text" || field.kind === "identifier") {
    if (part.quote === "`" || part.prefix !== undefined) return { items: [], wantsNumber: false };
    const isPattern = place.expected === "pattern";
    const typed = isPattern ? part.typed.replace(/^%|%$/g, "") : part.typed;
    const values = rank(valuesOf(field, context), typed, (value) => [value]);
    const items: Omit<Completion, "from" | "to">[] = values.map((value) => ({
      kind: "value",
      label: value,
      text: `${space}${quoted(value, "'")}${end}`,
    }));
    if (isPattern && typed !== "") {
      items.unshift({ kind: "pattern", label: `%${typed}%`, text: `${space}${quoted(`%${typed}%`, "'")}${end}` });
    }
    const isAsked = context.entity === "runs" && !isListed(field) && field.family !== "dataset";
    const column = `${field.family}.${field.name}`;
    return { items: write(items), values: isAsked ? { column, contains: typed } : undefined, wantsNumber: false };
  }
  if (part.quote || part.typed !== "") return { items: [], wantsNumber: false };
  const now = Math.floor((context.nowMs ?? Date.now()) / 60_000) * 60_000;
  const numbers =
    field.meaning === "time"
      ? Object.entries(MOMENTS).map(([name, ms]): [string, number] => [name, now - ms])
      : field.meaning === "duration"
        ? Object.entries(DURATIONS)
        : [];
  const kind = field.meaning === "time" ? "time" : "duration";
  const items = numbers.map(([label, ms]) => ({ kind, label, text: `${space}${ms}${end}` }) as const);
  return { items: write(items), wantsNumber: items.length === 0 };
}

function isListed({ meaning }: Field): boolean {
  return meaning === "status" || meaning === "stage" || meaning === "experiment";
}

function valuesOf(field: Field, { values = [], experimentIds = [] }: Context): string[] {
  if (field.meaning === "status") return STATUSES;
  if (field.meaning === "stage") return STAGES;
  return field.meaning === "experiment" ? experimentIds : values;
}

function keywords(words: string[], { typed, quote }: Partial): Omit<Completion, "from" | "to">[] {
  if (quote) return [];
  const found = words.filter((word) => word.toLowerCase().startsWith(typed.toLowerCase()));
  return found.map((word) => ({ kind: "keyword", label: word, text: word === "(" ? word : `${word} ` }));
}

/** What people logged by themselves, before what clients and machines add. */
function ownFirst(names: string[]): string[] {
  return [...names.filter((name) => !BY_ITSELF.test(name)), ...names.filter((name) => BY_ITSELF.test(name))];
}

/**
 * What contains the text that was typed, the closest first.
 *
 * The same comes before what starts with it, that before what has a part that starts with it, and that before the
 * rest; equals stay in their order.
 */
export function rank<T>(all: T[], typed: string, namesOf: (one: T) => string[]): T[] {
  const sought = typed.toLowerCase();
  if (sought === "") return all;
  const scored: { one: T; score: number }[] = [];
  for (const one of all) {
    const score = Math.min(...namesOf(one).map((name, index) => closeness(name.toLowerCase(), sought) + index / 10));
    if (score < FAR) scored.push({ one, score });
  }
  return scored.sort((a, b) => a.score - b.score).map(({ one }) => one);
}

const FAR = 9;

function closeness(name: string, sought: string): number {
  if (name === sought) return 0;
  const at = name.indexOf(sought);
  if (at < 0) return FAR;
  if (at === 0) return 1;
  return new RegExp(`[/._\\- ]${escaped(sought)}`).test(name) ? 2 : 3;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Filters to start from, with names that there are. */
export function examplesOf(entity: Entity, names: KnownNames = NO_NAMES, nowMs = Date.now()): string[] {
  const since = Math.floor((nowMs - MOMENTS.week) / 60_000) * 60_000;
  const own = (name: string) => !BY_ITSELF.test(name);
  const tag = keyText(names.tags.find(own) ?? "team");
  if (entity === "runs") {
    const metric = `metrics.${keyText(names.metrics.find(own) ?? "accuracy")}`;
    const param = `params.${keyText(names.params.find(own) ?? "lr")}`;
    return [
      "attributes.run_name ILIKE '%adam%'",
      "status = 'FINISHED' AND duration > 60000",
      `${metric} < 0.1 OR ${metric} IS NULL`,
      names.params.includes("optimizer") ? "params.optimizer IN ('adam', 'sgd')" : `${param} IS NOT NULL`,
      `NOT tags.${tag} = 'test'`,
      `start_time > ${since}`,
    ];
  }
  const created = entity === "experiments" ? "creation_time" : "creation_timestamp";
  const updated = entity === "experiments" ? "last_update_time" : "last_updated_timestamp";
  return [
    "name ILIKE '%churn%'",
    `tags.${tag} = 'vision'`,
    `tags.${tag} IS NULL`,
    `${updated} > ${since}`,
    `${created} > ${since} AND NOT name LIKE 'test%'`,
    `name ILIKE 'a%' OR name ILIKE 'b%'`,
  ];
}
