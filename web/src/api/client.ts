/** Questions to the server of `simpar dashboard`. */

import type { Problem } from "./types";

/** Says that a question was not answered: the server's own words where it gave any. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly error: string,
    message: string,
  ) {
    super(message);
  }
}

async function answer<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  let problem: Partial<Problem> = {};
  try {
    problem = (await response.json()) as Problem;
  } catch {
    // no words from the server: the status must do
  }
  throw new ApiError(
    response.status,
    problem.error ?? "unknown",
    problem.message ?? `The server answered with status ${response.status}.`,
  );
}

async function ask<T>(path: string, options: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`./api/${path}`, { credentials: "same-origin", ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(
      0,
      "offline",
      "The server does not answer. Is `simpar dashboard` still running?",
    );
  }
  return answer<T>(response);
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(path, signal ? { signal } : {});
}

export function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return ask<T>(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

/** A path below a run, with what is asked of it. */
export function runPath(
  run: string,
  rest = "",
  query: Readonly<Record<string, string | number | boolean | null | undefined>> = {},
): string {
  const given = Object.entries(query).filter(([, v]) => v !== null && v !== undefined && v !== "");
  const words = new URLSearchParams(given.map(([k, v]) => [k, String(v)])).toString();
  return `runs/${encodeURIComponent(run)}${rest ? `/${rest}` : ""}${words ? `?${words}` : ""}`;
}
