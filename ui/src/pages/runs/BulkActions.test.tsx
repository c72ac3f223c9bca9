import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { Toasts } from "../../components/Toasts";
import { BulkActions } from "./BulkActions";

const IDS = Array.from({ length: 40 }, (_, at) => `r${at}`);

interface Asked {
  path: string;
  body: Record<string, unknown>;
}

/** Stands in for the server; `answer` may give another answer than that all is well. */
function stubServer(answer: (asked: Asked) => Response | undefined = () => undefined) {
  const all: Asked[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const asked = {
      path: new URL(request.url).pathname.split("/").slice(-2).join("/"),
      body: JSON.parse(await request.text()) as Record<string, unknown>,
    };
    all.push(asked);
    return answer(asked) ?? changed();
  });
  return (path: string) => all.filter((asked) => asked.path === path).map(({ body }) => body);
}

const changed = (...failed: { run_id: string; error_code: string; message: string }[]) =>
  Response.json({ changed_count: 0, failed });

afterEach(() => vi.unstubAllGlobals());

function show(runIds: string[], isTrash = false) {
  const onDone = vi.fn();
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <BulkActions runIds={runIds} isTrash={isTrash} onDone={onDone} />
      <Toasts />
    </QueryClientProvider>,
  );
  return { onDone, user: userEvent.setup() };
}

const toast = async (text: RegExp | string) => (await screen.findByText(text)).closest(".toast")!;
const refusal = (message: string) => Response.json({ error_code: "X", message }, { status: 400 });

test("runs are deleted at once, and the toast brings them back", async () => {
  const asked = stubServer();
  const { onDone, user } = show(IDS);
  await user.click(screen.getByRole("button", { name: "Delete" }));
  await toast("40 runs deleted");
  expect(onDone).toHaveBeenCalledOnce();
  expect(asked("runs/change")).toEqual([{ run_ids: IDS, lifecycle_stage: "deleted" }]);
  await user.click(screen.getAllByRole("button", { name: "Undo" }).at(-1)!);
  await waitFor(() => expect(asked("runs/change").at(-1)).toEqual({ run_ids: IDS, lifecycle_stage: "active" }));
});

test("what failed is told honestly, and only what was done is undone", async () => {
  const asked = stubServer(({ body }) =>
    body.lifecycle_stage === "deleted"
      ? changed(...["r3", "r7", "r11"].map((run_id) => ({ run_id, error_code: "X", message: "the run is locked" })))
      : undefined,
  );
  const { user } = show(IDS);
  await user.click(screen.getByRole("button", { name: "Delete" }));
  expect((await toast("37 of 40 deleted; 3 failed: the run is locked")).className).toContain("bad");
  await user.click(screen.getAllByRole("button", { name: "Undo" }).at(-1)!);
  await waitFor(() => expect(asked("runs/change")).toHaveLength(2));
  const restored = asked("runs/change")[1]!.run_ids as string[];
  expect(restored).toHaveLength(37);
  expect(restored).not.toContain("r7");
});

test("many runs show how far it has come, and can be stopped", async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const started: string[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    started.push(await request.text());
    await gate;
    return changed();
  });
  const { user } = show(Array.from({ length: 600 }, (_, at) => `r${at}`));
  await user.click(screen.getByRole("button", { name: "Delete" }));
  expect(await screen.findByRole("progressbar", { name: "Deleting 600 runs" })).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  release();
  await toast(/^250 of 600 deleted; stopped by you$/);
  expect(started).toHaveLength(1);
});

test("a tag is set on all, and undone to what each had", async () => {
  const asked = stubServer(({ path, body }) => {
    if (path === "runs/columns") return Response.json({ metrics: [], params: [], tags: ["mlflow.user", "team"] });
    if (path !== "runs/table") return undefined;
    const [column] = body.columns as [string];
    const cells = column === "tags.team" ? ["core", null] : ["1", "1"];
    return Response.json({ run_ids: ["a", "b"], columns: { [column]: cells }, next_page_token: null });
  });
  const { onDone, user } = show(["a", "b"]);
  await user.click(screen.getByRole("button", { name: "Tag…" }));
  await waitFor(() => expect(document.querySelector("datalist option")?.getAttribute("value")).toBe("team"));
  expect(document.querySelectorAll("datalist option")).toHaveLength(1);
  await user.type(screen.getByLabelText("Key"), "team");
  await user.type(screen.getByLabelText("Value"), "growth");
  await user.click(screen.getByRole("button", { name: "Set the tag" }));
  await toast("2 runs tagged");
  expect(asked("runs/change")).toEqual([{ run_ids: ["a", "b"], set_tag: { key: "team", value: "growth" } }]);
  expect(onDone).toHaveBeenCalledOnce();
  await user.click(screen.getAllByRole("button", { name: "Undo" }).at(-1)!);
  await waitFor(() =>
    expect(asked("runs/change").slice(1)).toEqual([
      { run_ids: ["a"], set_tag: { key: "team", value: "core" } },
      { run_ids: ["b"], delete_tag: "team" },
    ]),
  );
});

test("a tag that the server refuses is told in the dialog, which stays open", async () => {
  stubServer(({ path }) =>
    path === "runs/change"
      ? refusal("no such key")
      : Response.json({ run_ids: [], columns: {}, metrics: [], params: [], tags: [] }),
  );
  const { onDone, user } = show(["a", "b"]);
  await user.click(screen.getByRole("button", { name: "Tag…" }));
  await user.type(screen.getByLabelText("Key"), "..");
  await user.click(screen.getByRole("button", { name: "Set the tag" }));
  expect((await screen.findByRole("alert")).textContent).toContain("no such key");
  expect(onDone).not.toHaveBeenCalled();
});

test("a tag is removed from the runs that have it", async () => {
  const asked = stubServer(({ path, body }) => {
    if (path === "runs/columns") return Response.json({ metrics: [], params: [], tags: ["kind", "team"] });
    if (path !== "runs/table") return undefined;
    const columns = Object.fromEntries(
      (body.columns as string[]).map((name) => [name, name === "tags.team" ? ["x", null, "y"] : [null, null, null]]),
    );
    if ("attributes.experiment_id" in columns) columns["attributes.experiment_id"] = ["1", "1", "1"];
    return Response.json({ run_ids: ["a", "b", "c"], columns, next_page_token: null });
  });
  const { user } = show(["a", "b", "c"]);
  await user.click(screen.getByRole("button", { name: "Remove tag…" }));
  expect((await screen.findAllByRole("option")).map((option) => option.textContent)).toEqual(["team (2 of 3)"]);
  await user.click(screen.getByRole("button", { name: "Remove the tag" }));
  await toast("Tag removed from 2 runs");
  expect(asked("runs/change")).toEqual([{ run_ids: ["a", "c"], delete_tag: "team" }]);
});

test("deleting for good takes the number of runs to be typed, and goes in parts", async () => {
  const asked = stubServer();
  const many = Array.from({ length: 1200 }, (_, at) => `r${at}`);
  const { onDone, user } = show(many, true);
  expect(screen.queryByRole("button", { name: "Tag…" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Delete for good" }));
  const confirm = screen.getAllByRole<HTMLButtonElement>("button", { name: "Delete for good" }).at(-1)!;
  expect(confirm.disabled).toBe(true);
  await user.type(screen.getByLabelText("Type 1200 to confirm"), "1200");
  await user.click(confirm);
  await toast("1,200 runs deleted for good");
  expect(asked("trash/empty").map(({ run_ids }) => (run_ids as string[]).length)).toEqual([250, 250, 250, 250, 200]);
  expect(onDone).toHaveBeenCalledOnce();
});
