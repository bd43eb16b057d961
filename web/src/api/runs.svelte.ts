/** What all pages need of the server: the list of runs, the chosen run, and its steps as they arrive. */

import { place } from "../place.svelte";
import { get, runPath } from "./client";
import { follow, rowOf } from "./live";
import { resource } from "./resource.svelte";
import type { RunDetail, RunList, StepColumns, Steps } from "./types";

const REFRESH_MS = 3000;

/** Steps of rank 0 as columns. */
export interface StepTable {
  readonly programs: readonly string[];
  readonly program: readonly number[];
  readonly step: readonly number[];
  readonly start_s: readonly number[];
  readonly end_s: readonly number[];
  readonly loss: readonly (number | null)[];
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
  let shown: string | null = null;
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
    if (asked !== shown) steps = NO_STEPS;
    shown = asked;
    if (asked === null) return undefined;
    const aborter = new AbortController();
    let close = () => {};
    void readSteps(asked, 0, NO_STEPS, aborter.signal)
      .then(([table, cursor]) => {
        steps = table;
        if (follows && !aborter.signal.aborted) close = watch(asked, cursor, aborter.signal);
      })
      .catch(() => undefined); // the run's own answer says what is wrong
    return () => {
      aborter.abort();
      close();
    };
  });

  /** Take in steps as they arrive; where some are missing, as after a pause, ask for them. */
  function watch(asked: string, cursor: number, signal: AbortSignal): () => void {
    let known = cursor;
    let isFilling = false;
    const fill = () => {
      if (isFilling) return;
      isFilling = true;
      void readSteps(asked, known, steps, signal)
        .then(([table, last]) => ([steps, known] = [table, last]))
        .catch(() => undefined)
        .finally(() => (isFilling = false));
    };
    const timer = window.setInterval(() => (revision += 1), REFRESH_MS);
    const close = follow(asked, () => known, {
      delta(found, since) {
        const last = rowOf(found.cursor);
        if (since === known && !isFilling) {
          if (found.columns.step.length > 0) steps = joined(steps, found.programs, found.columns);
          known = last;
        } else if (last > known) fill();
        if (found.state !== "running") revision += 1;
      },
      end: () => (revision += 1),
      live: (now) => (isLive = now),
    });
    return () => {
      close();
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
    /** Grows at most every three seconds while the run does: pages ask again for what they show. */
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

/** Read the steps that came after a row, and the last row. */
async function readSteps(
  run: string,
  since: number,
  known: StepTable,
  signal: AbortSignal,
): Promise<[StepTable, number]> {
  let table = known;
  let last = since;
  for (;;) {
    const found = await get<Steps>(runPath(run, "steps", { since: last, limit: 20_000 }), signal);
    table = joined(table, found.programs, found.columns);
    last = found.cursor;
    if (!found.more) return [table, last];
  }
}

export type Session = ReturnType<typeof openSession>;
