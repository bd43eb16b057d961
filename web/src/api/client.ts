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

async function answered(response: Response): Promise<Response> {
  if (response.ok) return response;
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

async function ask(path: string, options: RequestInit): Promise<Response> {
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
  return answered(response);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await ask(path, signal ? { signal } : {})).json()) as T;
}

/** Numbers by the thousand, which JSON would make slow. */
export async function getBytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await ask(path, signal ? { signal } : {})).arrayBuffer();
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  return (await response.json()) as T;
}

/** Send bytes as they are, a file say. */
export async function send<T>(path: string, body: Blob, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body,
    ...(signal ? { signal } : {}),
  });
  return (await response.json()) as T;
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
