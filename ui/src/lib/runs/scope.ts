// Which runs a table shows, in the server's words: filters and orders put together from what the reader chose.
import { type Column, parseColumn } from "./columns";

export interface Order {
  column: string;
  descending: boolean;
}

export const PARENT_TAG = "mlflow.parentRunId";
const PLAIN_KEY = /^[A-Za-z0-9_.]+$/;

/** A field as a filter or an order names it: keys with other characters stand in backticks. */
export function fieldOf(column: Column): string {
  const { kind, key } = column;
  if (kind === "attributes" || PLAIN_KEY.test(key)) return `${kind}.${key}`;
  return `${kind}.\`${key.replaceAll("`", "``")}\``;
}

/** A text as a filter holds it. */
export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Both conditions; an empty one asks for nothing. */
export function both(first: string | undefined, second: string | undefined): string | undefined {
  const left = first?.trim();
  const right = second?.trim();
  if (left && right) return `(${left}) AND (${right})`;
  return left || right || undefined;
}

export function childrenFilter(parentId: string): string {
  return `tags.\`${PARENT_TAG}\` = ${textLiteral(parentId)}`;
}

export const ROOTS_FILTER = `tags.\`${PARENT_TAG}\` IS NULL`;

/** The runs of a group: those with these values of the columns; null is having none. */
export function groupFilter(columns: readonly string[], values: readonly (string | null)[]): string {
  return columns
    .map((name, at) => {
      const column = parseColumn(name);
      if (column === undefined) throw new Error(`${name} is no column`);
      const value = values[at] ?? null;
      return value === null ? `${fieldOf(column)} IS NULL` : `${fieldOf(column)} = ${textLiteral(value)}`;
    })
    .join(" AND ");
}

/** Read an order as the address has it: "metrics.loss DESC"; undefined where it is none. */
export function parseOrder(text: string | undefined): Order | undefined {
  const match = /^(.+) (ASC|DESC)$/s.exec(text ?? "");
  return match && parseColumn(match[1]!) ? { column: match[1]!, descending: match[2] === "DESC" } : undefined;
}

export function formatOrder(order: Order): string {
  return `${order.column} ${order.descending ? "DESC" : "ASC"}`;
}

/** What the server is asked to sort by; empty is its own order, the newest first. */
export function orderBy(order: Order | undefined): string[] {
  const column = order && parseColumn(order.column);
  return column ? [`${fieldOf(column)} ${order.descending ? "DESC" : "ASC"}`] : [];
}

/** The order after a click on a column: the first way, the other way, none. Numbers and times begin with the greatest. */
export function nextOrder(order: Order | undefined, column: Column): Order | undefined {
  const descendingFirst = column.kind === "metrics" || column.key === "start_time" || column.key === "end_time";
  if (order?.column !== column.name) return { column: column.name, descending: descendingFirst };
  return order.descending === descendingFirst ? { column: column.name, descending: !descendingFirst } : undefined;
}
