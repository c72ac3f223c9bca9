import { describe, expect, it, vi } from "vitest";
import { type Cell, CellStore, type ReadCells } from "./cells";

const idle = () => vi.waitFor(() => undefined);

/** A server of runs whose every cell is "<run> <column>"; records what it was asked. */
function server() {
  const asked: { runIds: string[]; columns: string[] }[] = [];
  const read: ReadCells = (runIds, columns) => {
    asked.push({ runIds, columns });
    const found = runIds.filter((runId) => runId !== "gone");
    const cells = (column: string): Cell[] => found.map((runId) => `${runId} ${column}`);
    return Promise.resolve({
      run_ids: found,
      columns: Object.fromEntries(columns.map((column) => [column, cells(column)])),
    });
  };
  return { asked, read };
}

describe("the cell store", () => {
  it("reads what is in view once, and only what is missing", async () => {
    const { asked, read } = server();
    const store = new CellStore(read, vi.fn());
    store.want(["a", "b"], ["x"]);
    await idle();
    store.want(["a", "b", "c"], ["x"]);
    await idle();
    expect(asked).toEqual([
      { runIds: ["a", "b"], columns: ["x"] },
      { runIds: ["c"], columns: ["x"] },
    ]);
    expect(store.row("c").get("x")).toBe("c x");
  });

  it("never asks for what was scrolled past while it waited", async () => {
    const { asked, read } = server();
    const store = new CellStore(read, vi.fn());
    store.want(["a"], ["x"]);
    store.want(["b"], ["x"]);
    store.want(["c"], ["x"]);
    await idle();
    expect(asked.map(({ runIds }) => runIds[0])).toEqual(["a", "c"]);
  });

  it("asks once for a run that is not there", async () => {
    const { asked, read } = server();
    const store = new CellStore(read, vi.fn());
    store.want(["gone"], ["x"]);
    await idle();
    store.want(["gone"], ["x"]);
    await idle();
    expect(asked.length).toBe(1);
  });

  it("tells a row's watchers when its cells have changed, and only then", async () => {
    let value = 1;
    const store = new CellStore(
      (runIds) => Promise.resolve({ run_ids: runIds, columns: { x: runIds.map(() => value) } }),
      vi.fn(),
    );
    const watcher = vi.fn();
    store.watch("a", watcher);
    store.want(["a"], ["x"]);
    await idle();
    expect(watcher).toHaveBeenCalledTimes(1);
    await store.refresh();
    expect(watcher).toHaveBeenCalledTimes(1);
    value = 2;
    await store.refresh();
    expect(watcher).toHaveBeenCalledTimes(2);
    expect(store.row("a").get("x")).toBe(2);
  });

  it("forgets what was used least recently, but nothing that is shown", async () => {
    const { read } = server();
    const store = new CellStore(read, vi.fn(), 2);
    store.watch("a", vi.fn());
    for (const runId of ["a", "b", "c"]) {
      store.want([runId], ["x"]);
      await idle();
    }
    expect([store.row("a").size, store.row("b").size, store.row("c").size]).toEqual([1, 0, 1]);
  });

  it("hands on an error, and tries again when it is wanted again", async () => {
    const onError = vi.fn();
    let fails = true;
    const store = new CellStore(
      (runIds) =>
        fails
          ? Promise.reject(new Error("no"))
          : Promise.resolve({ run_ids: runIds, columns: { x: runIds.map(() => 1) } }),
      onError,
    );
    store.want(["a"], ["x"]);
    await idle();
    expect(onError).toHaveBeenCalledTimes(1);
    fails = false;
    store.want(["a"], ["x"]);
    await idle();
    expect(store.row("a").get("x")).toBe(1);
  });
});
