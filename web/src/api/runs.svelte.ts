/** What all pages need of the server: the list of runs, the chosen run, and its steps as they arrive. */

import { untrack } from "svelte";
import { FIRST_PAGE, place } from "../place.svelte";
import { get, runPath } from "./client";
import { follow, rowOf } from "./live";
import { resource } from "./resource.svelte";
import { grown, noSteps } from "./steps";
import type { StepTable } from "./steps";
import type { RunDetail, RunList, Steps } from "./types";

/** Measured times change with every step, but slowly: pages ask for them anew so often, to cost the training little. */
const REFRESH_MS = 10_000;
/** A list that is older is asked for again when the reader turns to it. */
const LIST_MS = 2000;

/** Make the session of the application; call it once, in a component. */
export function openSession() {
  let revision = $state(0);
  let news = $state(0);
  let slow = $state(0);
  let steps = $state.raw(noSteps());
  let lastStep = $state(0);
  let isFilled = $state(false);
  let known = 0;
  let shown: string | null = null;
  let isLive = $state(false);
  let isVisible = $state(document.visibilityState === "visible");
  let listed = 0;

  const runs = resource<RunList>(
    () => "runs",
    () => {
      listed = performance.now();
      return news;
    },
  );
  const run = $derived(place.run ?? runs.data?.runs[0]?.run ?? null);
  const detail = resource<RunDetail>(
    () => (run === null ? null : runPath(run)),
    () => (place.page === FIRST_PAGE ? news + slow : news), // others show of it only what news change
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
    if (asked !== shown) {
      [steps, known] = [noSteps(), 0];
      lastStep = 0;
      isFilled = false;
    }
    shown = asked;
    if (asked === null) return undefined;
    const aborter = new AbortController();
    let close = () => {};
    void fill(asked, aborter.signal)
      .then(() => {
        if (follows && !aborter.signal.aborted) close = watch(asked, aborter.signal);
      })
      .catch(() => undefined) // the run's own answer says what is wrong
      .finally(() => (isFilled ||= !aborter.signal.aborted));
    return () => {
      aborter.abort();
      close();
    };
  });

  /** Ask for the steps that came after those that are known. */
  async function fill(asked: string, signal: AbortSignal): Promise<void> {
    const [table, last] = await readSteps(
      asked,
      known,
      untrack(() => steps),
      signal,
    );
    [steps, known] = [table, last];
    lastStep = Math.max(lastStep, table.length);
  }

  /** Take in steps as they arrive; where some are missing, as after a pause, ask for them. */
  function watch(asked: string, signal: AbortSignal): () => void {
    let isFilling = false;
    let told: string | null = null;
    let measured: string | null = null;
    const fillUp = () => {
      if (isFilling) return;
      isFilling = true;
      void fill(asked, signal)
        .catch(() => undefined)
        .finally(() => (isFilling = false));
    };
    const hear = () => {
      revision += 1;
      news += 1;
    };
    const timer = window.setInterval(() => {
      revision += 1;
      slow += 1;
    }, REFRESH_MS);
    const close = follow(asked, () => known, {
      delta(found, since) {
        const last = rowOf(found.cursor);
        if (since === known && !isFilling) {
          if (found.columns.step.length > 0) steps = grown(steps, found.programs, found.columns);
          known = last;
        } else if (last > known) fillUp();
        lastStep = found.last_step;
        const mark = `${found.state} ${found.news}`;
        if (found.state !== "running" || (told !== null && told !== mark)) hear();
        else if (measured !== null && measured !== found.measured) revision += 1;
        [told, measured] = [mark, found.measured];
      },
      end: hear,
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
    /** Grows while the run does, at once with news (values, memory, a failure), else every ten seconds: pages ask again. */
    get revision() {
      return revision;
    },
    /** Of rank 0, from the first. */
    get steps() {
      return steps;
    },
    /** Whether the steps so far are known, be it none. */
    get isFilled() {
      return isFilled;
    },
    /** How many steps rank 0 has finished. */
    get lastStep() {
      return lastStep;
    },
    get isLive() {
      return isLive;
    },
    /** Ask for the list of runs if it may have grown. */
    refreshList() {
      if (performance.now() - listed > LIST_MS) runs.reload();
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
    table = grown(table, found.programs, found.columns);
    last = found.cursor;
    if (!found.more) return [table, last];
  }
}

export type Session = ReturnType<typeof openSession>;
