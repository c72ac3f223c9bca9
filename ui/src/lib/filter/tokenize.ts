// Cut a filter into tokens, each with its place, by the same rules as the server (src/runyard/search/tokens.py).

export type TokenKind =
  | "field" // metrics.loss, tags.`a key`
  | "word" // start_time, AND
  | "name" // `run name`
  | "text" // 'a text'
  | "quoted" // "a name where a field is expected, else a text"
  | "number"
  | "comparator"
  | "open"
  | "close"
  | "comma"
  | "unknown"
  | "end";

/** Why something is no token. */
export type Flaw = "unclosedQuote" | "keyMustFollow" | "badNumber" | "unexpectedCharacter";

export interface Token {
  kind: TokenKind;
  text: string;
  /** The text without its quotes, or the key of a field. */
  value: string;
  /** Where it starts and ends, in UTF-16 units, as the places of a text box are counted. */
  from: number;
  to: number;
  /** What stands before the dot of a field. */
  prefix: string;
  /** The word in upper case; empty where the token is no word. */
  keyword: string;
  flaw?: Flaw;
}

const BACKTICKED = "`[^`]*(?:``[^`]*)*`";
const SINGLE = "'[^']*(?:''[^']*)*'";
const DOUBLE = '"[^"]*(?:""[^"]*)*"';
const LETTER = "\\p{L}\\p{N}_";
const WORD = `[\\p{L}\\p{Nl}\\p{No}_][${LETTER}]*`;
const UNQUOTED_KEY = `[${LETTER}]+(?:\\.[${LETTER}]+)*`;

const TOKEN = new RegExp(
  [
    `(?<field>(?<prefix>${WORD}|${BACKTICKED})\\.(?<key>${BACKTICKED}|${SINGLE}|${DOUBLE}|${UNQUOTED_KEY}))`,
    `(?<word>${WORD})`,
    `(?<name>${BACKTICKED})`,
    `(?<text>${SINGLE})`,
    `(?<quoted>${DOUBLE})`,
    `(?<number>[+\\-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+\\-]?[0-9]+)?(?![${LETTER}.]))`,
    "(?<comparator>!=|<=|>=|<>|==|=|<|>)",
    "(?<open>\\()",
    "(?<close>\\))",
    "(?<comma>,)",
  ].join("|"),
  "uy",
);
const KINDS: TokenKind[] = [
  "field",
  "word",
  "name",
  "text",
  "quoted",
  "number",
  "comparator",
  "open",
  "close",
  "comma",
];
const NO_SPACE = /\S/g;
const UNKNOWN_NUMBER = new RegExp(`[+\\-]?[0-9.][${LETTER}.]*`, "uy");
const IS_UNQUOTED_KEY = new RegExp(`^${UNQUOTED_KEY}$`, "u");
const QUOTES = "`'\"";

/** The tokens of `filter` up to the first that is unknown, and after them the end. */
export function tokenize(filter: string): Token[] {
  const tokens: Token[] = [];
  let at = nextPlace(filter, 0);
  while (at !== undefined) {
    const token = tokenAt(filter, at);
    tokens.push(token);
    if (token.kind === "unknown") break;
    at = nextPlace(filter, token.to);
  }
  tokens.push(make("end", "", "", filter.length));
  return tokens;
}

/** What stands between quotes, where a doubled quote stands for one. */
export function unquoted(text: string): string {
  const quote = text.charAt(0);
  return quote !== "" && QUOTES.includes(quote) ? text.slice(1, -1).replaceAll(quote + quote, quote) : text;
}

export function quoted(text: string, quote: "'" | "`"): string {
  return quote + text.replaceAll(quote, quote + quote) + quote;
}

/** A key as it is written in a filter: in backticks where it needs them. */
export function keyText(key: string): string {
  return IS_UNQUOTED_KEY.test(key) ? key : quoted(key, "`");
}

export function isQuote(character: string): boolean {
  return character !== "" && QUOTES.includes(character);
}

function nextPlace(filter: string, from: number): number | undefined {
  NO_SPACE.lastIndex = from;
  return NO_SPACE.exec(filter)?.index;
}

function tokenAt(filter: string, at: number): Token {
  TOKEN.lastIndex = at;
  const groups = TOKEN.exec(filter)?.groups;
  const kind = groups && KINDS.find((each) => groups[each] !== undefined);
  if (!groups || !kind) return unknownAt(filter, at);
  const text = groups[kind]!;
  if (kind !== "field") return make(kind, text, unquoted(text), at);
  return make(kind, text, unquoted(groups.key!), at, { prefix: unquoted(groups.prefix!) });
}

function unknownAt(filter: string, at: number): Token {
  let character = String.fromCodePoint(filter.codePointAt(at)!);
  const following = filter.charAt(at + 1);
  if (character === "." && isQuote(following)) {
    character = following;
    at += 1;
  } else if (character === "." && !/[0-9]/.test(following)) {
    return make("unknown", character, "", at, { flaw: "keyMustFollow" });
  }
  if (isQuote(character)) return make("unknown", character, "", at, { flaw: "unclosedQuote" });
  UNKNOWN_NUMBER.lastIndex = at;
  const number = UNKNOWN_NUMBER.exec(filter)?.[0];
  if (number) return make("unknown", number, "", at, { flaw: "badNumber" });
  return make("unknown", character, "", at, { flaw: "unexpectedCharacter" });
}

function make(kind: TokenKind, text: string, value: string, from: number, rest: Partial<Token> = {}): Token {
  const keyword = kind === "word" ? value.toUpperCase() : "";
  return { kind, text, value, from, to: from + text.length, prefix: "", keyword, ...rest };
}
