/** Arranges graphs beside the page, which stays responsive. */

import { arrange } from "./arrange";
import type { ToArrange } from "./arrange";

self.addEventListener("message", (event: MessageEvent<{ id: number; asked: ToArrange }>) => {
  const { id, asked } = event.data;
  try {
    self.postMessage({ id, arranged: arrange(asked) }, { transfer: [] });
  } catch (error) {
    self.postMessage({ id, error: String(error) }, { transfer: [] });
  }
});
