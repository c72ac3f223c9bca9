// What of the trash is named in each request that deletes it for good.

/** Experiments and runs, by id. */
export interface Trashed {
  experimentIds: string[];
  runIds: string[];
}

// An experiment takes its runs with it, which may be many; a run is little.
const EXPERIMENTS_AT_ONCE = 20;
const RUNS_AT_ONCE = 500;

export function sizeOf({ experimentIds, runIds }: Trashed): number {
  return experimentIds.length + runIds.length;
}

/** Everything in parts that one request can take, the runs first. */
export function partsOf({ experimentIds, runIds }: Trashed): Trashed[] {
  return [
    ...chunks(runIds, RUNS_AT_ONCE).map((part) => ({ experimentIds: [], runIds: part })),
    ...chunks(experimentIds, EXPERIMENTS_AT_ONCE).map((part) => ({ experimentIds: part, runIds: [] })),
  ];
}

function chunks<T>(list: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}
