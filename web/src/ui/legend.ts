/** What the signs of a picture mean. */

import type { Pattern } from "../draw/pattern";

export interface LegendEntry {
  readonly words: string;
  readonly color?: string;
  /** Colours of a ramp, from first to last. */
  readonly ramp?: readonly string[];
  readonly pattern?: Pattern;
  readonly outline?: string;
  readonly dash?: boolean;
  readonly sign?: string;
  /** Colour of the sign, if not white. */
  readonly ink?: string;
}
