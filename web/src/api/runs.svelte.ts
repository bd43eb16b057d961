/** What all pages need of the server: the list of runs, the chosen run, and its steps as they arrive. */

import { place } from "../place.svelte";
import { get, runPath } from "./client";
import { resource } from "./resource.svelte";
import type { RunDetail, RunList, StepColumns, Steps } from "./types";

const REFRESH_MS = 2000;

/** Steps of rank 0 as columns. */
export interface StepTable {
  readonly programs: readonly string[];
  readonly program: readonly number[];
  readonly step: readonly number[];
  readonly start_s: readonly number[];
  readonly end_s: readonly number[];
  readonly loss: readonly (number | null)[];
}

/** What one event of the stream carries; streams are not part of the OpenAPI document. */
interface Delta {
  readonly state: string;
  readonly programs: readonly string[];
  readonly columns: StepColumns;
}

const NO_STEPS: StepTable = {
  programs: [],
  program: [],
  step: [],
  start_s: [],
  end_s: [],
  loss: [],
};

function joined(table: StepTable, programs: readonly string[], columns: StepColumns): StepTable {
  const losses = columns.loss.map((v) => (typeof v === "number" ? v : null));
  return {
    programs,
    program: [...table.program, ...columns.program],
    step: [...table.step, ...columns.step],
    start_s: [...table.start_s, ...columns.start_s],
    end_s: [...table.end_s, ...columns.end_s],
    loss: [...table.loss, ...losses],
  };
}

/** Make the session of the application; call it once, in a component. */
export function openSession() {
  let revision = $state(0);
  let steps = $state.raw<StepTable>(NO_STEPS);
  let isLive = $state(false);
  let isVisible = $state(document.visibilityState === "visible");

  const runs = resource<RunList>(
    () => "runs",
    () => revision,
  );
  const run = $derived(place.run ?? runs.data?.runs[0]?.run ?? null);
  const detail = resource<RunDetail>(
    () => (run === null ? null : runPath(run)),
    () => revision,
  );
  const isGrowing = $derived(
    detail.data?.summary.run === run && detail.data?.summary.state === "running",
  );

  $effect(() => {
    const change = () => (isVisible = document.visibilityState === "visible");
    document.addEventListener("visibilitychange", change);
    return () => document.removeEventListener("visibilitychange", change);
  });

  // The steps so far, then those that arrive. A hidden page holds no connection.
  $effect(() => {
    const asked = run;
    const follows = isGrowing && isVisible;
    if (asked === null) return undefined;
    const aborter = new AbortController();
    let close = () => {};
    void readSteps(asked, aborter.signal, (table) => (steps = table))
      .then((cursor) => {
        if (follows && !aborter.signal.aborted) close = follow(asked, cursor);
      })
      .catch(() => undefined); // the run's own answer says what is wrong
    return () => {
      aborter.abort();
      close();
    };
  });

  function follow(asked: string, cursor: number): () => void {
    const stream = new EventSource(`./api/${runPath(asked, "stream", { since: `${cursor}.0` })}`);
    const timer = window.setInterval(() => (revision += 1), REFRESH_MS);
    stream.addEventListener("open", () => (isLive = true));
    stream.addEventListener("error", () => (isLive = false));
    stream.addEventListener("delta", (event) => {
      const delta = JSON.parse((event as MessageEvent<string>).data) as Delta;
      if (delta.columns.step.length > 0) steps = joined(steps, delta.programs, delta.columns);
      if (delta.state !== "running") revision += 1;
    });
    stream.addEventListener("end", () => {
      revision += 1;
      stream.close();
    });
    return () => {
      stream.close();
      window.clearInterval(timer);
      isLive = false;
    };
  }

  return {
    runs,
    detail,
    get run() {
      return run;
    },
    /** Grows at most every two seconds while the run does: pages ask again for what they show. */
    get revision() {
      return revision;
    },
    get steps() {
      return steps;
    },
    get isLive() {
      return isLive;
    },
  };
}

async function readSteps(
  run: string,
  signal: AbortSignal,
  show: (table: StepTable) => void,
): Promise<number> {
  let table = NO_STEPS;
  let since = 0;
  for (;;) {
    const found = await get<Steps>(runPath(run, "steps", { since, limit: 20_000 }), signal);
    table = joined(table, found.programs, found.columns);
    since = found.cursor;
    if (!found.more) break;
  }
  if (!signal.aborted) show(table);
  return since;
}

export type Session = ReturnType<typeof openSession>;
