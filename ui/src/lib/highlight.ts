// The run that the reader points at, in the table or in a chart: shown as such wherever it is.
import { external } from "./external";

/** Its id; undefined where none is pointed at. */
export const highlightedRun = external<string | undefined>(undefined);
