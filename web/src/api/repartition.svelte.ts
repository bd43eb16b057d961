/** What a program would move, cut another way: asked when the question changes, and again while the server works on it. */

import { ApiError, post, runPath } from "./client";
import type { RepartitionAnswer, RepartitionQuestion } from "./types";

export interface Repartition {
  readonly answer: RepartitionAnswer | null;
  readonly problem: ApiError | null;
  /** Whether a newer answer is on its way and takes its time. */
  readonly isWorking: boolean;
}

const SETTLE_MS = 15;
const AGAIN_MS = 400;

/** Ask while a component lives; null asks for nothing. The old answer stays shown until the new one comes. */
export function repartition(
  asked: () => { run: string; question: RepartitionQuestion } | null,
): Repartition {
  let answer = $state.raw<RepartitionAnswer | null>(null);
  let problem = $state.raw<ApiError | null>(null);
  let isWorking = $state(false);

  $effect(() => {
    const now = asked();
    if (now === null) {
      answer = null;
      return undefined;
    }
    const aborter = new AbortController();
    let timer = window.setTimeout(ask, SETTLE_MS);

    function ask(): void {
      post<RepartitionAnswer>(runPath(now!.run, "repartition"), now!.question, aborter.signal)
        .then((found) => {
          isWorking = found.state === "working";
          problem = null;
          if (isWorking) timer = window.setTimeout(ask, AGAIN_MS);
          else answer = found;
        })
        .catch((reason: unknown) => {
          if (aborter.signal.aborted) return;
          isWorking = false;
          problem =
            reason instanceof ApiError ? reason : new ApiError(0, "unknown", String(reason));
        });
    }

    return () => {
      window.clearTimeout(timer);
      aborter.abort();
    };
  });

  return {
    get answer() {
      return answer;
    },
    get problem() {
      return problem;
    },
    get isWorking() {
      return isWorking;
    },
  };
}
