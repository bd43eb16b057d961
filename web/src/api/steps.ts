/** Steps of rank 0 as they arrive: columns that only grow. */

import type { StepColumns } from "./types";

/** What is known at one time. Later tables share these columns: read the first `length` of each. */
export interface StepTable {
  readonly length: number;
  readonly programs: readonly string[];
  readonly program: readonly number[];
  readonly step: readonly number[];
  readonly start_s: readonly number[];
  readonly end_s: readonly number[];
  readonly loss: readonly (number | null)[];
}

export function noSteps(): StepTable {
  return { length: 0, programs: [], program: [], step: [], start_s: [], end_s: [], loss: [] };
}

/** The table with what arrived behind it: the columns of the table grow, nothing is copied. */
export function grown(
  table: StepTable,
  programs: readonly string[],
  columns: StepColumns,
): StepTable {
  const more = columns.step.length;
  for (const name of ["program", "step", "start_s", "end_s"] as const)
    extend(table[name] as number[], table.length, columns[name]);
  const losses = columns.loss.map((v) => (typeof v === "number" ? v : null));
  extend(table.loss as (number | null)[], table.length, losses);
  return { ...table, programs, length: table.length + more };
}

/** What a question that was given up has added beyond the table is dropped. */
function extend<T>(column: T[], length: number, more: readonly T[]): void {
  column.length = length;
  for (const value of more) column.push(value);
}

/** Points that arrive one by one, of which every second, fourth, eighth, ... stays, so that never many are kept. */
export class Thinned<T> {
  private readonly kept: T[] = [];
  private every = 1;
  private seen = 0;
  private last: T | undefined;

  constructor(private readonly most: number) {}

  add(point: T): void {
    this.last = point;
    if (this.seen % this.every === 0) {
      this.kept.push(point);
      if (this.kept.length > this.most) {
        const half = this.kept.filter((_, i) => i % 2 === 0);
        this.kept.splice(0, this.kept.length, ...half);
        this.every *= 2;
      }
    }
    this.seen += 1;
  }

  /** Those that are kept, and always the last. */
  points(): readonly T[] {
    const isKept = this.last === undefined || this.kept.at(-1) === this.last;
    return isKept ? [...this.kept] : [...this.kept, this.last as T];
  }
}
