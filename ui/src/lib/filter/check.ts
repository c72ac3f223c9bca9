// Walk through a filter as the server's parser does (src/runyard/search/grammar.py), and tell where it goes wrong.
import { type Flaw, keyText, quoted, type Token, tokenize } from "./tokenize";
import {
  type Entity,
  type Field,
  fieldOf,
  type KnownNames,
  NO_NAMES,
  type Vocabulary,
  VOCABULARIES,
} from "./vocabulary";

/** What may come next. */
export type Expected =
  | "term" // a field, NOT or a parenthesis
  | "comparator"
  | "negated" // after NOT: LIKE, ILIKE, IN, BETWEEN
  | "presence" // after IS: NULL or NOT NULL
  | "null"
  | "value"
  | "pattern"
  | "list" // the parenthesis that opens one
  | "member" // a value of a list
  | "nextMember" // a comma or the end of the list
  | "low"
  | "and"
  | "high"
  | "join"; // AND, OR, a closing parenthesis, or the end

export type ProblemCode =
  | Flaw
  | "field"
  | "unknownPrefix"
  | "emptyKey"
  | "unknownAttribute"
  | "unquotedKey"
  | "comparator"
  | "invalidComparator"
  | "null"
  | "text"
  | "number"
  | "integer"
  | "list"
  | "nextMember"
  | "and"
  | "join"
  | "tooDeep"
  | "tooMany";

export interface Problem {
  code: ProblemCode;
  /** Where it is; at the end of the filter there is nothing to mark, and both are its length. */
  from: number;
  to: number;
  /** What stands there. */
  got: string;
  /** The field that is concerned, as it is written. */
  field?: string;
  /** What may stand there instead, where that is a short list. */
  options?: string[];
  /** Whether the filter only ends too early, as it does while it is being written. */
  isUnfinished: boolean;
  /** What would put it right. */
  fix?: { from: number; to: number; text: string };
}

/** Where a walk through tokens has come to. */
export interface Place {
  expected: Expected;
  field?: Field;
  /** How many parentheses are open. */
  depth: number;
  problem?: Problem;
}

const MAX_DEPTH = 16;
const MAX_CLAUSES = 200;
const INTEGER = /^[+-]?[0-9]+$/;

const EQUALITY = ["=", "!="];
const ORDERING = ["<", "<=", ">", ">="];
const PRESENCE = ["IS NULL", "IS NOT NULL"];

/** The comparators that may follow a field, the usual ones first. */
export function comparatorsOf(field: Field): string[] {
  switch (field.kind) {
    case "text":
      return [...EQUALITY, "ILIKE", "LIKE", "IN", "NOT IN", "NOT ILIKE", "NOT LIKE", ...PRESENCE];
    case "identifier":
      return [...EQUALITY, "IN", "NOT IN", ...PRESENCE];
    default:
      return [...ORDERING, ...EQUALITY, "BETWEEN", "NOT BETWEEN", "IN", "NOT IN", ...PRESENCE];
  }
}

/** A field as it is written: an attribute by its name, a key behind its prefix. */
export function fieldText({ family, name }: Pick<Field, "family" | "name">): string {
  return family === "attributes" ? keyText(name) : `${family}.${keyText(name)}`;
}

/** What is wrong with a filter, if something is. */
export function check(filter: string, entity: Entity, names: KnownNames = NO_NAMES): Problem | undefined {
  if (filter.trim() === "") return undefined;
  return walk(tokenize(filter), filter, VOCABULARIES[entity], names).problem;
}

/** Go through tokens to their end or to the first problem. Without a problem the filter is complete. */
export function walk(tokens: Token[], filter: string, vocabulary: Vocabulary, names: KnownNames = NO_NAMES): Place {
  return new Walker(tokens, filter, vocabulary, names).walk();
}

class Walker {
  private index = 0;
  private expected: Expected = "term";
  private field?: Field;
  /** What NOT and parentheses are open, NOTs as far as their term. */
  private open: ("(" | "NOT")[] = [];
  private clauseCount = 0;

  constructor(
    private readonly tokens: Token[],
    private readonly filter: string,
    private readonly vocabulary: Vocabulary,
    private readonly names: KnownNames,
  ) {}

  walk(): Place {
    let problem: Problem | undefined;
    while (!problem && !(this.token.kind === "end" && this.expected === "join" && !this.open.includes("("))) {
      problem = this.step();
    }
    const depth = this.open.filter((each) => each === "(").length;
    return { expected: this.expected, field: this.field, depth, problem };
  }

  private get token(): Token {
    return this.tokens[this.index]!;
  }

  private take(next: Expected): undefined {
    this.index += 1;
    this.expected = next;
  }

  private step(): Problem | undefined {
    const { token, field } = this;
    switch (this.expected) {
      case "term":
        return this.term();
      case "comparator":
        return this.comparator(field!);
      case "negated":
        return this.word(field!, false);
      case "presence":
        if (token.keyword === "NOT") return this.take("null");
        return token.keyword === "NULL" ? this.endClause() : this.fail("null", { options: ["NULL", "NOT NULL"] });
      case "null":
        return token.keyword === "NULL" ? this.endClause() : this.fail("null", { options: ["NULL"] });
      case "value":
      case "pattern":
        return this.value(field!) ?? this.endClause();
      case "list":
        return token.kind === "open" ? this.take("member") : this.fail("list");
      case "member":
        // A list may end with a comma, as a printed Python tuple of one does; an empty list is none.
        if (token.kind === "close" && this.tokens[this.index - 1]?.kind === "comma") return this.endClause();
        return this.value(field!) ?? this.take("nextMember");
      case "nextMember":
        if (token.kind === "comma") return this.take("member");
        return token.kind === "close" ? this.endClause() : this.fail("nextMember");
      case "low":
        return this.value(field!) ?? this.take("and");
      case "and":
        return token.keyword === "AND" ? this.take("high") : this.fail("and");
      case "high":
        return this.value(field!) ?? this.endClause();
      case "join":
        return this.join();
    }
  }

  private term(): Problem | undefined {
    const { token } = this;
    if (token.keyword === "NOT" || token.kind === "open") {
      if (this.open.length >= MAX_DEPTH) return this.fail("tooDeep");
      this.open.push(token.kind === "open" ? "(" : "NOT");
      return this.take("term");
    }
    this.clauseCount += 1;
    if (this.clauseCount > MAX_CLAUSES) return this.fail("tooMany");
    return this.readField();
  }

  private readField(): Problem | undefined {
    const { token, vocabulary } = this;
    let family: Field["family"] | undefined = "attributes";
    if (token.kind === "field") {
      family = vocabulary.prefixes.get(token.prefix);
      if (!family) return this.unknownPrefix(token);
      if (token.value === "") return this.fail("emptyKey");
    } else if (!["word", "name", "quoted"].includes(token.kind)) {
      return this.fail("field");
    }
    const following = this.tokens[this.index + 1]!;
    const isOpenKey = following.kind === "unknown" && this.filter.charAt(token.to) === "." && token.kind === "word";
    if (isOpenKey && vocabulary.prefixes.has(token.value)) return this.fail("field", {}, following);
    let field = fieldOf(vocabulary, family, token.value);
    if (!field && following.kind === "word") {
      // The alias `run name` is also understood without its backticks.
      field = fieldOf(vocabulary, family, `${token.value} ${following.value}`);
      if (field) this.index += 1;
    }
    const next = this.tokens[this.index + 1]!;
    const isBroken = next.from === this.token.to && (next.kind === "unknown" || next.kind === "number");
    if (!field) return this.unknownAttribute(token, family, isBroken);
    if (isBroken) return this.unquotedKey(token, next);
    this.field = field;
    return this.take("comparator");
  }

  private unknownPrefix(token: Token): Problem {
    const options = this.vocabulary.keyed.map((family) => `${family}.`);
    return this.fail("unknownPrefix", { got: token.prefix, options });
  }

  private unknownAttribute(token: Token, family: Field["family"], isBroken: boolean): Problem {
    const key = isBroken ? this.runOn(token) : token.value;
    const known = (["params", "metrics", "tags"] as const).find(
      (each) => family === "attributes" && token.kind !== "field" && this.names[each].includes(key),
    );
    const attributes = family === "dataset" ? this.vocabulary.datasetAttributes : this.vocabulary.attributes;
    const options = attributes.map(({ name }) => name);
    if (family === "attributes") options.push(...this.vocabulary.keyed.map((each) => `${each}.…`));
    const to = isBroken ? token.from + key.length : token.to;
    const fix = known && { from: token.from, to, text: fieldText({ family: known, name: key }) };
    return this.fail("unknownAttribute", { got: key, to, options, fix });
  }

  private unquotedKey(token: Token, next: Token): Problem {
    const whole = this.runOn(token);
    const prefix = token.kind === "field" ? `${token.prefix}.` : "";
    const fix = whole.startsWith(prefix)
      ? { from: token.from, to: token.from + whole.length, text: prefix + quoted(whole.slice(prefix.length), "`") }
      : undefined;
    return this.fail("unquotedKey", { got: next.text, from: next.from, to: next.to, fix }, next);
  }

  /** All that stands from a token to the next space, comparator or parenthesis. */
  private runOn(token: Token): string {
    return /^[^\s()'"`,=<>!]*/.exec(this.filter.slice(token.from))![0];
  }

  private comparator(field: Field): Problem | undefined {
    const { token } = this;
    if (token.kind === "comparator") {
      const options = comparatorsOf(field);
      return options.includes(token.text) ? this.take("value") : this.fail("invalidComparator", { options });
    }
    if (token.keyword === "IS") return this.take("presence");
    if (token.keyword === "NOT") return this.take("negated");
    return this.word(field, true);
  }

  private word(field: Field, mayBeMissing: boolean): Problem | undefined {
    const { token } = this;
    const isNumber = field.kind === "integer" || field.kind === "real";
    if (token.keyword === "IN") return this.take("list");
    if ((token.keyword === "LIKE" || token.keyword === "ILIKE") && field.kind === "text") return this.take("pattern");
    if (token.keyword === "BETWEEN" && isNumber) return this.take("low");
    const isWrong = token.kind === "comparator" || token.kind === "word";
    const options = comparatorsOf(field).filter((each) => mayBeMissing || each.startsWith("NOT "));
    return this.fail(isWrong ? "invalidComparator" : "comparator", { options });
  }

  private value(field: Field): Problem | undefined {
    const { token } = this;
    const isText = token.kind === "text" || token.kind === "quoted";
    if (field.kind === "text") return isText ? undefined : this.fail("text", { fix: this.quotes(token) });
    if (field.kind === "identifier") {
      const isNumber = token.kind === "number" && Number.isInteger(Number(token.value));
      const isInteger = isNumber || (isText && INTEGER.test(token.value));
      return isInteger ? undefined : this.fail("integer");
    }
    if (token.kind === "number") return undefined;
    const isQuotedNumber = isText && token.value.trim() !== "" && Number.isFinite(Number(token.value));
    const fix = isQuotedNumber ? { from: token.from, to: token.to, text: token.value.trim() } : undefined;
    return this.fail("number", { fix });
  }

  /** A word or a number that lacks its quotes, with them. */
  private quotes(token: Token): Problem["fix"] {
    if (token.kind !== "word" && token.kind !== "number" && token.flaw !== "badNumber" && token.kind !== "field") {
      return undefined;
    }
    const text = this.runOn(token);
    return { from: token.from, to: token.from + text.length, text: quoted(text, "'") };
  }

  private join(): Problem | undefined {
    const { token } = this;
    if (token.keyword === "AND" || token.keyword === "OR") return this.take("term");
    if (token.kind === "close" && this.open.includes("(")) {
      while (this.open.pop() !== "(");
      this.closeNots();
      return this.take("join");
    }
    return this.fail("join", { options: this.open.includes("(") ? ["AND", "OR", ")"] : ["AND", "OR"] });
  }

  private endClause(): undefined {
    this.closeNots();
    return this.take("join");
  }

  private closeNots(): void {
    while (this.open.at(-1) === "NOT") this.open.pop();
  }

  private fail(code: ProblemCode, rest: Partial<Problem> = {}, token: Token = this.token): Problem {
    const field = this.field && this.expected !== "term" ? fieldText(this.field) : undefined;
    return {
      // What is no token at all is told as such, whatever was expected there.
      code: token.flaw && code !== "unquotedKey" && !rest.fix ? token.flaw : code,
      from: token.from,
      to: token.to,
      got: token.text,
      field,
      isUnfinished: token.kind === "end",
      ...rest,
    };
  }
}
