// The tree of artifacts as the rows that are shown of it.
import type { FileInfo } from "../../api/schema";
import { nameOf } from "./kind";

export interface TreeRow {
  path: string;
  name: string;
  depth: number;
  isFolder: boolean;
  isOpen: boolean;
  sizeBytes: number | undefined;
}

/** What is in each folder that was listed, by its path; "" is the root. */
export type Listings = ReadonlyMap<string, readonly FileInfo[]>;

/** The rows of the folders that are open, folders first; with words, only what matches and the way to it. */
export function treeRows(listings: Listings, open: ReadonlySet<string>, words = ""): TreeRow[] {
  const wanted = words.trim().toLowerCase();
  const rows: TreeRow[] = [];
  const add = (folder: string, depth: number): boolean => {
    let hasFound = false;
    for (const file of sorted(listings.get(folder) ?? [])) {
      const row = rowOf(file, depth, open);
      const at = rows.push(row);
      // What is listed is searched, whether or not it is open.
      const isShownBelow = row.isFolder && (row.isOpen || wanted !== "");
      const hasBelow = isShownBelow && add(file.path, depth + 1);
      const isFound = row.name.toLowerCase().includes(wanted) || hasBelow;
      if (isFound) hasFound = true;
      else rows.splice(at - 1);
    }
    return hasFound;
  };
  add("", 0);
  return rows;
}

/** The folders on the way to a path: "a/b/c" has "a" and "a/b". */
export function foldersAbove(path: string): string[] {
  const steps = path.split("/").slice(0, -1);
  return steps.map((_, at) => steps.slice(0, at + 1).join("/"));
}

function rowOf(file: FileInfo, depth: number, open: ReadonlySet<string>): TreeRow {
  return {
    path: file.path,
    name: nameOf(file.path),
    depth,
    isFolder: file.is_dir,
    isOpen: file.is_dir && open.has(file.path),
    sizeBytes: file.file_size ?? undefined,
  };
}

export function sorted(files: readonly FileInfo[]): FileInfo[] {
  return files.toSorted(
    (a, b) => Number(b.is_dir) - Number(a.is_dir) || a.path.localeCompare(b.path, "en", { numeric: true }),
  );
}
