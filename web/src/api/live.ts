/**
 * Steps as they arrive. One page of a browser holds the stream of a run and tells the others: a browser has six
 * connections for a server, and what the server reads for a stream it need read only once.
 */

import { runPath } from "./client";
import type { Delta } from "./types";

export interface Listener {
  /** The steps that came after the row `since`. */
  delta(found: Delta, since: number): void;
  end(): void;
  /** Whether news arrive. */
  live(isLive: boolean): void;
}

type Told =
  | { readonly kind: "hello" | "end" }
  | { readonly kind: "live"; readonly isLive: boolean }
  | { readonly kind: "delta"; readonly found: Delta; readonly since: number };

/** The row of steps that a cursor of the stream stands for. */
export function rowOf(cursor: string): number {
  return Number(cursor.split(".")[0]);
}

/** Follow a run until the function that is returned is called. `cursor` tells the last row of steps that is known. */
export function follow(run: string, cursor: () => number, listener: Listener): () => void {
  if (!("locks" in navigator) || typeof BroadcastChannel === "undefined")
    return openStream(run, cursor(), listener); // other hosts than this machine's have no locks without TLS
  const name = `simpar-stream-${run}`;
  const channel = new BroadcastChannel(name);
  const aborter = new AbortController();
  let close = () => {};
  let isOpen = false;
  let isHolder = false;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches its own origin only
  const tell = (told: Told) => channel.postMessage(told);
  channel.addEventListener("message", (event: MessageEvent<Told>) => {
    const told = event.data;
    if (told.kind === "hello" && isHolder) tell({ kind: "live", isLive: isOpen });
    else if (told.kind === "live") listener.live(told.isLive);
    else if (told.kind === "end") listener.end();
    else if (told.kind === "delta") listener.delta(told.found, told.since);
  });
  tell({ kind: "hello" });
  const hold = () =>
    new Promise<void>((resolve) => {
      isHolder = true;
      const end = openStream(run, cursor(), {
        delta(found, since) {
          tell({ kind: "delta", found, since });
          listener.delta(found, since);
        },
        end() {
          tell({ kind: "end" });
          listener.end();
        },
        live(isLive) {
          isOpen = isLive;
          tell({ kind: "live", isLive });
          listener.live(isLive);
        },
      });
      close = () => {
        end();
        resolve();
      };
    });
  navigator.locks.request(name, { signal: aborter.signal }, hold).catch(() => undefined); // aborted
  return () => {
    aborter.abort();
    close();
    channel.close();
  };
}

function openStream(run: string, cursor: number, listener: Listener): () => void {
  const stream = new EventSource(`./api/${runPath(run, "stream", { since: `${cursor}.0` })}`);
  let since = cursor;
  stream.addEventListener("open", () => listener.live(true));
  stream.addEventListener("error", () => listener.live(false));
  stream.addEventListener("delta", (event) => {
    const found = JSON.parse((event as MessageEvent<string>).data) as Delta;
    listener.delta(found, since);
    since = rowOf(found.cursor);
  });
  stream.addEventListener("end", () => {
    listener.end();
    stream.close();
  });
  return () => {
    stream.close();
    listener.live(false);
  };
}
