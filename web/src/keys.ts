/** Keys that work everywhere. Pages add their own while they are shown. */

export interface Key {
  /** As `KeyboardEvent.key` has it, or two of them in turn, e.g. `g o`. */
  readonly keys: string;
  readonly words: string;
  readonly run: () => void;
}

const WAIT_MS = 1200;

function isTyping(event: KeyboardEvent): boolean {
  const at = event.target;
  return at instanceof HTMLElement && at.matches("input, textarea, select, [contenteditable]");
}

/** Listen for keys until the function that it returns is called. */
export function listen(keys: () => readonly Key[]): () => void {
  let first = "";
  let since = 0;
  function onkey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event) && event.key !== "Escape") return;
    const before = event.timeStamp - since < WAIT_MS ? first : "";
    const found =
      keys().find((k) => before !== "" && k.keys === `${before} ${event.key}`) ??
      keys().find((k) => k.keys === event.key);
    first = found ? "" : event.key;
    since = event.timeStamp;
    if (!found) return;
    event.preventDefault();
    found.run();
  }
  window.addEventListener("keydown", onkey);
  return () => window.removeEventListener("keydown", onkey);
}
