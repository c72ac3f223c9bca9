import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../../api/client";
import { FilterBox } from "./FilterBox";

const VALUES: Record<string, string[]> = { "params.optimizer": ["adam", "rmsprop", "sgd"] };

beforeEach(() => {
  vi.stubGlobal("fetch", async (request: Request) => {
    if (request.url.endsWith("/runs/columns")) {
      return Response.json({ metrics: ["val/loss"], params: ["lr", "optimizer"], tags: ["team"] });
    }
    const { column } = JSON.parse(await request.text()) as { column: string };
    return Response.json({ values: VALUES[column] ?? [] });
  });
});
afterEach(() => vi.unstubAllGlobals());

function show(value = "", error?: Error) {
  const onApply = vi.fn();
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const element = (filter: string) => (
    <QueryClientProvider client={client}>
      <FilterBox value={filter} onApply={onApply} entity="runs" experimentIds={["1"]} error={error} />
      <input aria-label="elsewhere" />
    </QueryClientProvider>
  );
  const { rerender } = render(element(value));
  return { onApply, user: userEvent.setup(), change: (filter: string) => rerender(element(filter)) };
}

const box = () => screen.getByLabelText<HTMLTextAreaElement>("Filter");
const options = () => screen.queryAllByRole("option").map((option) => option.textContent);
const active = () =>
  screen.queryAllByRole("option").find((option) => option.getAttribute("aria-selected") === "true")?.textContent;

test("a filter is written with Tab and Enter alone", async () => {
  const { onApply, user } = show();
  await user.click(box());
  await user.keyboard("opti");
  await screen.findByRole("option", { name: /params\.optimizer/ });
  await user.keyboard("{Tab}");
  expect(box().value).toBe("params.optimizer ");
  expect(active()).toMatch(/^=/);
  await user.keyboard("{Enter}");
  await screen.findByRole("option", { name: /rmsprop/ });
  await user.keyboard("{ArrowDown}{Enter}");
  expect(box().value).toBe("params.optimizer = 'rmsprop' ");
  expect(options().map((text) => text?.slice(0, 3))).toEqual(["AND", "OR"]);
  // The filter is complete: nothing is chosen, so that Enter applies it.
  expect(active()).toBeUndefined();
  await user.keyboard("{Enter}");
  expect(onApply).toHaveBeenCalledExactlyOnceWith("params.optimizer = 'rmsprop'");
  expect(screen.queryByRole("listbox")).toBeNull();
});

test("names are put in backticks", async () => {
  const { user } = show();
  await user.click(box());
  await user.keyboard("metrics.val");
  await user.click(await screen.findByRole("option", { name: /val\/loss/ }));
  expect(box().value).toBe("metrics.`val/loss` ");
  expect(box()).toBe(document.activeElement);
});

test("plain words are looked for in names", async () => {
  const { onApply, user } = show();
  await user.click(box());
  await user.keyboard("adam 03");
  expect(options()[0]).toContain("name contains 'adam 03'");
  await user.keyboard("{Enter}");
  expect(onApply).toHaveBeenCalledExactlyOnceWith("attributes.run_name ILIKE '%adam 03%'");
  expect(box().value).toBe("attributes.run_name ILIKE '%adam 03%'");
});

test("Escape closes the list, and Tab then leaves the box", async () => {
  const { user } = show();
  await user.click(box());
  await user.keyboard("status ");
  expect(screen.getByRole("listbox")).toBeTruthy();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("listbox")).toBeNull();
  await user.tab();
  expect(document.activeElement).not.toBe(box());
  expect(box().value).toBe("status ");
});

test("the list tells readers of screens what is chosen", async () => {
  const { user } = show();
  await user.click(box());
  await user.keyboard("status = {ArrowDown}");
  const chosen = screen.getAllByRole("option").find((option) => option.getAttribute("aria-selected") === "true");
  expect(chosen?.textContent).toContain("RUNNING");
  expect(box().getAttribute("aria-activedescendant")).toBe(chosen?.id);
  expect(box().getAttribute("aria-controls")).toBe(screen.getByRole("listbox").id);
  expect(screen.getByRole("status").textContent).toBe("5 suggestions");
});

test("what is wrong is told at its place, and is not applied", async () => {
  const { onApply, user } = show();
  await user.click(box());
  await user.keyboard("params.lr < 5{Escape}{Enter}");
  expect(onApply).not.toHaveBeenCalled();
  expect(screen.getByRole("alert").textContent).toMatch(/< does not fit params\.lr.*at character 11/);
  expect(box().getAttribute("aria-invalid")).toBe("true");
  expect(document.querySelector(".filter-piece-wrong")?.textContent).toBe("<");
});

test("what is only unfinished is not told while it is being written", async () => {
  const { user } = show();
  await user.click(box());
  await user.keyboard("params.lr = 'a");
  expect(screen.queryByRole("alert")).toBeNull();
  await user.click(screen.getByLabelText("elsewhere"));
  expect(screen.getByRole("alert").textContent).toMatch(/' is not closed.*at character 13/);
});

test("a slip is put right with one click", async () => {
  const { onApply, user } = show();
  await screen.findByLabelText("Filter");
  await user.click(box());
  await user.keyboard("lr = '1'{Escape}{Enter}");
  await user.click(await screen.findByRole("button", { name: "Write params.lr" }));
  expect(box().value).toBe("params.lr = '1'");
  await user.keyboard("{Enter}");
  expect(onApply).toHaveBeenCalledExactlyOnceWith("params.lr = '1'");
});

test("the server's words about the filter in force are shown, until it is changed", async () => {
  const error = new ApiError(400, "INVALID_PARAMETER_VALUE", "no such thing at character 1:\nstatus = 'x'\n^");
  const { user } = show("status = 'x'", error);
  expect(screen.getByRole("alert").textContent).toBe("no such thing at character 1");
  expect(document.querySelector(".filter-piece-wrong")?.textContent).toBe("status");
  await user.click(box());
  await user.keyboard("{End} ");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a slash brings the reader here, but not one that is written elsewhere", async () => {
  const { user } = show();
  await user.click(screen.getByLabelText("elsewhere"));
  await user.keyboard("/");
  expect(document.activeElement).toBe(screen.getByLabelText("elsewhere"));
  (document.activeElement as HTMLElement).blur();
  await user.keyboard("/");
  expect(document.activeElement).toBe(box());
  expect(box().value).toBe("");
});

test("the filter is cleared by a button, and follows the address", async () => {
  const { onApply, user, change } = show("status = 'FINISHED'");
  change("status = 'FAILED'");
  expect(box().value).toBe("status = 'FAILED'");
  await user.click(screen.getByRole("button", { name: "Clear the filter" }));
  expect(onApply).toHaveBeenCalledExactlyOnceWith("");
  expect(box().value).toBe("");
});

test("an example is put in the box, to be changed", async () => {
  const { onApply, user } = show();
  await user.click(screen.getByRole("button", { name: "Help with filters" }));
  await user.click(screen.getByRole("button", { name: /^status/ }));
  expect(box().value).toBe("status = 'FINISHED' AND duration > 60000");
  await waitFor(() => expect(document.activeElement).toBe(box()));
  expect(onApply).not.toHaveBeenCalled();
});
