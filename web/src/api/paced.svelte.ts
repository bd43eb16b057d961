/** A value that is followed no faster than it can be read: what is drawn again costs the training that it shows. */

import { onDestroy, untrack } from "svelte";

/** Follow a value while a component lives, at most once in so many milliseconds. Nothing waits while nothing changes. */
export function paced<T>(read: () => T, pause_ms: number): { readonly value: T } {
  let shown = $state.raw(untrack(read));
  let last = Number.NEGATIVE_INFINITY;
  let isFirst = true;
  let timer: number | undefined;

  function take(): void {
    timer = undefined;
    last = performance.now();
    shown = untrack(read);
  }

  $effect.pre(() => {
    void read();
    if (isFirst) {
      isFirst = false; // it is shown already, and often empty: what comes next is not kept waiting
      return;
    }
    window.clearTimeout(timer);
    if (performance.now() - last >= pause_ms) untrack(take);
    else timer = window.setTimeout(take, pause_ms); // only where nothing follows: else it would be a frame of its own
  });
  onDestroy(() => window.clearTimeout(timer));

  return {
    get value() {
      return shown;
    },
  };
}
