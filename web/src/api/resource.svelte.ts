/** An answer that is fetched when its address changes, and again when the run has grown. */

import { ApiError, get } from "./client";

export interface Resource<T> {
  readonly data: T | null;
  readonly error: ApiError | null;
  readonly isLoading: boolean;
  reload(): void;
}

/**
 * Ask for an address while a component lives; null asks for nothing. The old answer of the same address stays shown.
 * `ask` is how: for JSON if not given.
 */
export function resource<T>(
  address: () => string | null,
  revision: () => unknown = () => 0,
  ask: (path: string, signal: AbortSignal) => Promise<T> = get<T>,
): Resource<T> {
  let data = $state.raw<T | null>(null);
  let error = $state.raw<ApiError | null>(null);
  let isLoading = $state(false);
  let again = $state(0);
  let shown: string | null = null;

  $effect(() => {
    const asked = address();
    void revision();
    void again;
    if (asked !== shown) {
      data = null;
      error = null;
    }
    shown = asked;
    if (asked === null) return undefined;
    const aborter = new AbortController();
    isLoading = true;
    ask(asked, aborter.signal)
      .then((found) => {
        data = found;
        error = null;
        isLoading = false;
      })
      .catch((reason: unknown) => {
        if (aborter.signal.aborted) return;
        isLoading = false;
        error = reason instanceof ApiError ? reason : new ApiError(0, "unknown", String(reason));
      });
    return () => aborter.abort();
  });

  return {
    get data() {
      return data;
    },
    get error() {
      return error;
    },
    get isLoading() {
      return isLoading;
    },
    reload() {
      again += 1;
    },
  };
}
