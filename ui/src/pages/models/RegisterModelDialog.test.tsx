import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { RegisterModelDialog } from "./RegisterModelDialog";

interface Sent {
  path: string;
  body: Record<string, unknown>;
}

afterEach(() => vi.unstubAllGlobals());

/** Stand in for the server: what is asked of it is kept, and `answers` tell what it says, by the path's end. */
function serverOf(answers: Record<string, (count: number) => Response>): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const path = new URL(request.url).pathname;
    sent.push({ path, body: request.method === "POST" ? ((await request.json()) as Record<string, unknown>) : {} });
    const end = Object.keys(answers).find((key) => path.endsWith(key))!;
    return answers[end]!(sent.filter((other) => other.path === path).length);
  });
  return sent;
}

function show(onClose = vi.fn()) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RegisterModelDialog source={{ kind: "run", runId: "abc", path: "/models/best/" }} onClose={onClose} />
    </QueryClientProvider>,
  );
  return onClose;
}

async function submit(name: string) {
  await userEvent.type(screen.getByLabelText("Model name"), name);
  await userEvent.click(screen.getByRole("button", { name: "Register Model" }));
}

const version = (status: string) => Response.json({ model_version: { name: "churn", version: "1", status } });

test("a run's folder becomes the first version of a new model, which is waited for", async () => {
  const sent = serverOf({
    "registered-models/create": () => Response.json({ registered_model: { name: "churn" } }),
    "model-versions/create": () => version("PENDING_REGISTRATION"),
    "model-versions/get": () => version("READY"),
  });
  const onClose = show();
  await submit("churn");
  await waitFor(() => expect(onClose).toHaveBeenCalled(), { timeout: 4000 });
  expect(sent.map(({ path }) => path.replace(/.*mlflow\//, ""))).toEqual([
    "registered-models/create",
    "model-versions/create",
    "model-versions/get",
  ]);
  expect(sent[1]!.body).toMatchObject({ name: "churn", source: "runs:/abc/models/best", run_id: "abc" });
});

test("when the version fails, trying again does not make the model twice", async () => {
  const sent = serverOf({
    "registered-models/create": () => Response.json({ registered_model: { name: "churn" } }),
    "model-versions/create": (count) =>
      count === 1 ? Response.json({ error_code: "X", message: "no such run" }, { status: 404 }) : version("READY"),
  });
  const onClose = show();
  await submit("churn");
  expect(await screen.findByText("no such run")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Register Model" }));
  await waitFor(() => expect(onClose).toHaveBeenCalled());
  expect(sent.filter(({ path }) => path.endsWith("registered-models/create"))).toHaveLength(1);
});
