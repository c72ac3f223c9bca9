// The server's API, typed by its OpenAPI document. Every call goes through `ask`, which throws ApiError.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

/** Where the server is, as the page was loaded from it: ends with a slash, and holds any path prefix. */
export const SERVER_URL = new URL(".", document.baseURI).href;

// `fetch` is looked up at each call, so that a test can stand in for it.
export const api = createClient<paths>({
  baseUrl: SERVER_URL.replace(/\/$/, ""),
  fetch: (request) => fetch(request),
});

/** What the server answered instead of what was asked for; `status` 0 where it did not answer at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer of a call such as `api.GET(...)`, or an ApiError. */
export async function ask<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "UNREACHABLE", "the server does not answer");
  }
  if (answer.error !== undefined || !answer.response.ok) throw errorOf(answer.response.status, answer.error);
  return answer.data as T;
}

function errorOf(status: number, body: unknown): ApiError {
  const { error_code, message } = (typeof body === "object" && body !== null ? body : {}) as {
    error_code?: string;
    message?: string;
  };
  return new ApiError(status, error_code ?? "UNKNOWN", message ?? `the server answered with status ${status}`);
}

/** The address of something outside the typed API, such as an artifact; parameters that are undefined are left out. */
export function serverUrl(path: string, parameters: Record<string, string | undefined> = {}): string {
  const url = new URL(path.replace(/^\//, ""), SERVER_URL);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
