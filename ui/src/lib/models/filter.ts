// What a reader types into the search box of the models, as a filter of the server.

const LOOKS_LIKE_FILTER = /[=<>]|\bi?like\s+['"]|\bin\s*\(|\bis\s+(not\s+)?null\b/i;

/** Whether the text is meant as a filter, such as `tags.owner = 'x'`, and not as words of a name. */
export function isFilter(text: string): boolean {
  return LOOKS_LIKE_FILTER.test(text);
}

/** The filter that a search means: what looks like one is passed on, words must all be in the name. */
export function modelFilter(text: string): string | undefined {
  const words = text.trim();
  if (words === "") return undefined;
  if (isFilter(words)) return words;
  return words
    .split(/\s+/)
    .map((word) => `name ILIKE ${quoted(`%${word}%`)}`)
    .join(" AND ");
}

/** A text as it stands in a filter: in single quotes, those within doubled. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
