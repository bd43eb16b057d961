/** What the signs of a picture mean. */

import { kindOf } from "../draw/palette";
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
  /** Colour of the sign, if not the one that can be read on the colour. */
  readonly ink?: string;
}

/** Movements by their colours and signs. */
export function kindEntries(kinds: Iterable<string>): LegendEntry[] {
  return [...kinds].map((name) => {
    const { color, sign } = kindOf(name);
    return { words: name, color, sign };
  });
}
