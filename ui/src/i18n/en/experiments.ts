export default {
  title: "Experiments",
  newExperiment: "New experiment",
  search: "Search experiments",
  searchPlaceholder: "Words of the name, or tags.team = 'vision'",
  sortBy: "Sort by",
  sortCreated: "Newest",
  sortUpdated: "Last change",
  sortName: "Name",
  runs: "Runs",
  runCount: (count: number) => count.toLocaleString("en"),
  running: (count: number) => `${count} running`,
  lastActivity: "Last activity",
  actions: (name: string) => `Actions for ${name}`,
  select: (name: string) => `Select ${name}`,
  selectAll: "Select all",
  selected: (count: number) => `${count} selected`,
  openTogether: "Open together",
  information: "Description and tags",
  rename: "Rename",
  newName: "New name",
  artifactLocation: "Artifact location",
  artifactLocationHelp: "Where the artifacts of its runs go. Empty: where the server keeps them.",
  deleted: (name: string) => `${name} is in the trash`,
  deletedMany: (count: number) => `${count} experiments are in the trash`,
  noMatch: "No experiment matches",
  noMatchHint: "Change what you search for, or take it away.",
  clearSearch: "Clear the search",
  start: "Log a first run",
  startHint: "It appears here by itself.",
  snippet: "the lines",
  trashTitle: "Trash",
  trashHint: "What is deleted waits here. Restore it, or delete it for good with all its artifacts.",
  trashEmpty: "The trash is empty",
  trashEmptyHint: "Experiments and runs that you delete wait here until you restore them or delete them for good.",
  deletedExperiments: "Experiments",
  deletedRuns: "Runs of experiments that are not deleted",
  deletedAt: "Last change",
  experiment: "Experiment",
  emptyTrash: "Empty the trash",
  emptyTrashConfirm: (experiments: number, runs: number) =>
    `This deletes ${both(withRuns(experiments), runs > 0 && count(runs, experiments > 0 ? "more run" : "run"))}, with everything that was logged to them and their artifacts. It cannot be undone.`,
  purgeOne: (name: string) =>
    `This deletes ${name} with everything that was logged to it and its artifacts. It cannot be undone.`,
  purgeMany: (experiments: number, runs: number) =>
    `This deletes ${both(withRuns(experiments), runs > 0 && count(runs, "run"))}, with everything that was logged to them and their artifacts. It cannot be undone.`,
  purged: (experiments: number, runs: number) =>
    `Deleted for good: ${count(experiments, "experiment")}, ${count(runs, "run")}`,
  keptInTrash: (number: number) =>
    `${count(number, "item")} kept in the trash: tagged keep, or the source of a model version`,
  purging: (done: number, total: number) => `${done} of ${total} deleted`,
  restored: (count: number) => (count === 1 ? "Restored" : `${count} restored`),
  confirmWord: "delete",
};

function withRuns(experiments: number): string | false {
  return experiments > 0 && `${count(experiments, "experiment")} with all ${experiments === 1 ? "its" : "their"} runs`;
}

function both(...parts: (string | false)[]): string {
  return parts.filter(Boolean).join(" and ");
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
