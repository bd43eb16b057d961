/** Runs that were only planned: compiled for devices that are imagined. */

import type { RunSummary } from "../api/types";

export function isPlanned(summary: RunSummary): boolean {
  return summary.steps === 0 && summary.device_num > summary.world_size;
}
