// Addresses of pages for plain links: in a table of thousands of cells, the router's own links would be most of the work.

export function runAddress(experimentId: string, runId: string): string {
  return `#/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
}

export function modelVersionAddress(name: string, version: string): string {
  return `#/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`;
}
