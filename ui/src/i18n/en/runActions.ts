const number = (count: number) => count.toLocaleString("en");
const runs = (count: number) => (count === 1 ? "1 run" : `${number(count)} runs`);

export default {
  runs,
  // Selected runs
  tag: "Tag…",
  removeTag: "Remove tag…",
  tagTitle: (count: number) => `Tag ${runs(count)}`,
  tagHelp: "A run that has a tag of this key already gets the new value.",
  setTag: "Set the tag",
  removeTagTitle: (count: number) => `Remove a tag from ${runs(count)}`,
  removeTagButton: "Remove the tag",
  tagOption: (key: string, count: number, total: number) => `${key} (${number(count)} of ${number(total)})`,
  noTagsThere: "None of these runs has a tag that could be removed.",
  purgeTitle: (count: number) => `Delete ${runs(count)} for good`,
  purgeText: (count: number): string =>
    count === 1
      ? "The run, all that was logged to it, and its artifacts will be gone. This cannot be undone."
      : "The runs, all that was logged to them, and their artifacts will be gone. This cannot be undone.",
  progress: (done: number, total: number) => `${number(done)} of ${number(total)}`,
  working: {
    delete: (count: number) => `Deleting ${runs(count)}`,
    restore: (count: number) => `Restoring ${runs(count)}`,
    tag: (count: number) => `Tagging ${runs(count)}`,
    removeTag: (count: number) => `Removing the tag from ${runs(count)}`,
    purge: (count: number) => `Deleting ${runs(count)} for good`,
    undo: (count: number) => `Undoing for ${runs(count)}`,
  },
  done: {
    delete: (count: number) => `${runs(count)} deleted`,
    restore: (count: number) => `${runs(count)} restored`,
    tag: (count: number) => `${runs(count)} tagged`,
    removeTag: (count: number) => `Tag removed from ${runs(count)}`,
    purge: (count: number) => `${runs(count)} deleted for good`,
    undo: (count: number) => `Undone for ${runs(count)}`,
  },
  doneOf: {
    delete: (done: number, total: number) => `${number(done)} of ${number(total)} deleted`,
    restore: (done: number, total: number) => `${number(done)} of ${number(total)} restored`,
    tag: (done: number, total: number) => `${number(done)} of ${number(total)} tagged`,
    removeTag: (done: number, total: number) => `Tag removed from ${number(done)} of ${number(total)}`,
    purge: (done: number, total: number) => `${number(done)} of ${number(total)} deleted for good`,
    undo: (done: number, total: number) => `Undone for ${number(done)} of ${number(total)}`,
  },
  failed: (count: number, message: string) => `${number(count)} failed: ${message}`,
  stopped: "stopped by you",

  // Export
  exportTitle: "Export runs",
  format: "Format",
  csv: "CSV",
  csvHelp:
    "For spreadsheets and every other tool. Values stand as they were logged; one that starts with = a spreadsheet may take for a formula.",
  parquet: "Parquet",
  parquetHelp: "For pandas, Polars, DuckDB: typed columns, numbers and times in full.",
  exportColumns: "Columns",
  columnsShown: (count: number) => `Those of the table (${number(count)})`,
  columnsAll: (count: number | undefined) => (count === undefined ? "All" : `All (${number(count)})`),
  exportCount: (count: number) =>
    count === 1
      ? "1 run matches, and will be exported."
      : `${number(count)} runs match, and all of them will be exported.`,
  exportNothing: "No run matches, so there is nothing to export.",
  counting: "Counting the runs…",
  exportButton: "Export",
  exportProgress: (done: number, total: number) => `${number(done)} of ${runs(total)} read`,
  exportWriting: "Writing the file…",
  exportDone: (name: string, count: number) => `${name}: ${runs(count)} exported`,
  severalExperiments: (count: number) => `${count}-experiments`,

  // Saved views
  views: "Views",
  viewChanged: "changed",
  viewChangedHint: (name: string) => `Changed since ${name} was saved`,
  noViews: "No saved views yet",
  saveView: "Save this view…",
  saveViewTitle: "Save this view",
  saveViewHelp: "Filter, order, columns and charts, as they are now. Everyone who sees this experiment sees its views.",
  viewName: "Name",
  replaceView: (name: string) => `There is a view ${name} already. Saving replaces it.`,
  replace: "Replace",
  updateView: (name: string) => `Save the changes to ${name}`,
  manageViews: "Rename or delete views…",
  manageViewsTitle: "Views of this experiment",
  copyLink: "Copy a link",
  linkCopied: "Link copied",
  viewSaved: (name: string) => `View ${name} saved`,
  viewDeleted: (name: string) => `View ${name} deleted`,
  viewRenamed: (from: string, to: string) => `View ${from} is now ${to}`,
  deleteView: (name: string) => `Delete view ${name}`,
  renameView: (name: string) => `Rename view ${name}`,
  viewTooLong: (length: number, limit: number) =>
    `This view takes ${number(length)} characters, and a view may have ${number(limit)}. Show fewer columns or charts.`,
  viewNameTooLong: (limit: number) => `A name may have at most ${number(limit)} characters.`,
  viewNameTaken: (name: string) => `There is a view ${name} already.`,
  viewBroken: (name: string) => `${name} (cannot be read)`,

  // Columns
  columnsTitle: "Columns",
  searchColumns: "Find columns",
  groups: { attributes: "Attributes", metrics: "Metrics", params: "Params", tags: "Tags" } as Record<string, string>,
  groupCount: (shown: number, total: number) => `${number(shown)} of ${number(total)}`,
  allFound: (count: number) => (count === 1 ? "The one found" : `All ${number(count)} found`),
  noneFound: (text: string) => `No column has “${text}” in its name.`,
  openGroup: (name: string) => `Open ${name}`,
  closeGroup: (name: string) => `Close ${name}`,
  shownColumns: (count: number) => `Shown, in this order (${number(count)})`,
  availableColumns: "Available",
  reorderHelp: "Drag a row, or move it with Alt and the arrow keys.",
  moveUp: (name: string) => `Move ${name} up`,
  moveDown: (name: string) => `Move ${name} down`,
  pinColumn: (name: string) => `Pin ${name} to the left`,
  hideColumn: (name: string) => `Hide ${name}`,
  moved: (name: string, place: number, count: number) => `${name}: place ${place} of ${count}`,
  alwaysShown: "Always shown",
  hideAll: "Hide all",
  doneButton: "Done",
};
