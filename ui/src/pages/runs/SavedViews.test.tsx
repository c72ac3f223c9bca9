import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Toasts } from "../../components/Toasts";
import { SavedViews } from "./SavedViews";

let tags: Map<string, string>;

beforeEach(() => {
  tags = new Map([
    ["team", "vision"],
    ["runyard.view.best", '{"filter":"metrics.loss < 0.1","order":"metrics.loss ASC"}'],
  ]);
  vi.stubGlobal("fetch", async (request: Request) => {
    if (request.url.includes("/experiments/get")) {
      const pairs = [...tags].map(([key, value]) => ({ key, value }));
      return Response.json({ experiment: { experiment_id: "1", name: "churn", tags: pairs } });
    }
    const { key, value } = JSON.parse(await request.text()) as { key: string; value: string };
    if (request.url.endsWith("/set-experiment-tag")) tags.set(key, value);
    else tags.delete(key);
    return Response.json({});
  });
});
afterEach(() => vi.unstubAllGlobals());

function show(current: Record<string, unknown> = {}) {
  const onOpen = vi.fn();
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const element = (view: Record<string, unknown>) => (
    <QueryClientProvider client={client}>
      <SavedViews experimentId="1" current={view} onOpen={onOpen} />
      <Toasts />
    </QueryClientProvider>
  );
  const { rerender } = render(element(current));
  return { onOpen, user: userEvent.setup(), change: (view: Record<string, unknown>) => rerender(element(view)) };
}

const opener = () =>
  screen.getAllByRole("button", { expanded: false }).find((each) => each.getAttribute("aria-haspopup") === "menu")!;
const BEST = { order: "metrics.loss ASC", filter: "metrics.loss < 0.1" };

test("a view is opened by its name", async () => {
  const { onOpen, user, change } = show();
  await user.click(await screen.findByRole("button", { name: "Views" }));
  await user.click(await screen.findByRole("menuitemcheckbox", { name: "best" }));
  expect(onOpen).toHaveBeenCalledExactlyOnceWith(BEST);
  change(BEST);
  expect(opener().textContent).toBe("best");
});

test("the view that is shown is marked, and what changed since it was saved is told", async () => {
  const { user, change } = show(BEST);
  await waitFor(() => expect(opener().textContent).toBe("best"));
  await user.click(opener());
  expect(screen.getByRole("menuitemcheckbox", { name: /best/ }).getAttribute("aria-checked")).toBe("true");
  await user.click(screen.getByRole("menuitemcheckbox", { name: /best/ }));
  change({ ...BEST, tab: "charts" });
  expect(opener().textContent).toBe("bestchanged");
  await user.click(opener());
  await user.click(screen.getByRole("menuitem", { name: "Save the changes to best" }));
  await waitFor(() => expect(JSON.parse(tags.get("runyard.view.best")!)).toEqual({ ...BEST, tab: "charts" }));
  await waitFor(() => expect(opener().textContent).toBe("best"));
});

test("the current view is saved under a name; one that is taken is replaced only after a word", async () => {
  const { user } = show({ filter: "x = 1", columns: ["metrics.a"] });
  await user.click(await screen.findByRole("button", { name: "Views" }));
  await user.click(screen.getByRole("menuitem", { name: "Save this view…" }));
  const name = screen.getByLabelText("Name");
  await user.type(name, "best");
  expect(screen.getByText(/Saving replaces it/)).toBeTruthy();
  expect(screen.getByRole("button", { name: "Replace" })).toBeTruthy();
  await user.type(name, " of all");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(tags.get("runyard.view.best of all")).toBe('{"columns":["metrics.a"],"filter":"x = 1"}'));
  await waitFor(() => expect(opener().textContent).toBe("best of all"));
});

test("a view that is too long for a tag is refused with the reason", async () => {
  const { user } = show({ columns: Array.from({ length: 400 }, (_, at) => `metrics.long-name-${at}`) });
  await user.click(await screen.findByRole("button", { name: "Views" }));
  await user.click(screen.getByRole("menuitem", { name: "Save this view…" }));
  await user.type(screen.getByLabelText("Name"), "wide");
  expect(screen.getByRole("alert").textContent).toMatch(/takes 9,\d+ characters, and a view may have 5,000/);
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Save" }).disabled).toBe(true);
});

test("views are renamed and deleted, and both can be undone", async () => {
  const { user } = show();
  await user.click(await screen.findByRole("button", { name: "Views" }));
  await user.click(await screen.findByRole("menuitem", { name: "Rename or delete views…" }));
  await user.click(screen.getByRole("button", { name: "Rename view best" }));
  const field = screen.getByRole("textbox", { name: "Rename view best" });
  await user.clear(field);
  await user.type(field, "fine{Enter}");
  await screen.findByText("View best is now fine");
  expect([...tags.keys()]).toEqual(["team", "runyard.view.fine"]);
  await user.click(await screen.findByRole("button", { name: "Delete view fine" }));
  const told = (await screen.findByText("View fine deleted")).parentElement!;
  expect([...tags.keys()]).toEqual(["team"]);
  await user.click(within(told).getByRole("button", { name: "Undo" }));
  await waitFor(() => expect(tags.has("runyard.view.fine")).toBe(true));
});
