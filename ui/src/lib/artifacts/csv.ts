// Tables in text files, read in parts.
import Papa from "papaparse";

export interface CsvPart {
  header: string[];
  rows: string[][];
}

/**
 * The rows of the beginning of a file. Unless the file `isWhole`, its last row may have been cut in the middle, and is left
 * out. A quoted cell may hold line breaks.
 */
export function readCsv(text: string, isWhole: boolean, isTsv: boolean): CsvPart {
  const { data } = Papa.parse<string[]>(text, { delimiter: isTsv ? "\t" : undefined, skipEmptyLines: true });
  if (!isWhole) data.pop();
  const [header = [], ...rows] = data;
  return { header, rows };
}
