// A filter in pieces that look different: what is drawn beneath the text box.
import { isQuote, tokenize } from "./tokenize";

export type PieceKind = "plain" | "field" | "keyword" | "comparator" | "text" | "number";

export interface Piece {
  text: string;
  kind: PieceKind;
  isWrong: boolean;
}

const KEYWORDS = new Set(["AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "BETWEEN", "IS", "NULL"]);

/** The pieces of a filter, which together are the whole of it; those from `from` to `to` are marked as wrong. */
export function highlight(filter: string, wrong?: { from: number; to: number }): Piece[] {
  const spans: { from: number; to: number; kind: PieceKind }[] = [];
  let at = 0;
  for (const token of tokenize(filter)) {
    if (token.kind === "end") break;
    let kind: PieceKind = "plain";
    let { to } = token;
    if (KEYWORDS.has(token.keyword)) kind = "keyword";
    else if (token.kind === "field" || token.kind === "word" || token.kind === "name") kind = "field";
    else if (token.kind === "text" || token.kind === "quoted") kind = "text";
    else if (token.kind === "number") kind = "number";
    else if (token.kind === "comparator") kind = "comparator";
    else if (isQuote(token.text)) {
      // All that follows an open quote is in it, until it is closed.
      kind = "text";
      to = filter.length;
    }
    if (token.from > at) spans.push({ from: at, to: token.from, kind: "plain" });
    spans.push({ from: token.from, to, kind });
    at = to;
  }
  if (at < filter.length) spans.push({ from: at, to: filter.length, kind: "plain" });
  return spans.flatMap(({ from, to, kind }) => cut(filter, from, to, kind, wrong));
}

function cut(filter: string, from: number, to: number, kind: PieceKind, wrong?: { from: number; to: number }): Piece[] {
  const start = Math.min(to, Math.max(from, wrong?.from ?? to));
  const end = Math.max(start, Math.min(to, wrong?.to ?? to));
  const pieces: Piece[] = [
    { text: filter.slice(from, start), kind, isWrong: false },
    { text: filter.slice(start, end), kind, isWrong: true },
    { text: filter.slice(end, to), kind, isWrong: false },
  ];
  return pieces.filter(({ text }) => text !== "");
}

/** Where the server says that a filter is wrong: it counts characters from 1, the text box UTF-16 units from 0. */
export function placeOf(message: string, filter: string): { from: number; to: number } | undefined {
  const found = / at character (\d+)/.exec(message)?.[1];
  if (found === undefined) return undefined;
  const from = [...filter].slice(0, Number(found) - 1).join("").length;
  const token = tokenize(filter).find((each) => each.from <= from && from < each.to);
  return { from, to: token?.to ?? Math.min(filter.length, from + 1) };
}

/** The server's message without the copy of the filter that it draws for terminals. */
export function briefly(message: string): string {
  return message.split("\n")[0]!.replace(/:$/, "");
}
