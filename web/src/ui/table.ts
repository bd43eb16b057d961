/** What a table is told of its columns, and how rows are put in order. */

import type { CellValue } from "./files";
import { toCsv } from "./files";

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** What the column sorts by and what goes to CSV. */
  readonly value: (row: Row) => CellValue;
  /** What is shown, if not the value itself. */
  readonly text?: (row: Row) => string;
  /** The exact value, shown when the pointer rests. */
  readonly full?: (row: Row) => string;
  /** A picture instead of text: a string of SVG made by `toSvg`. */
  readonly glyph?: (row: Row) => string;
  readonly href?: (row: Row) => string;
  readonly tone?: (row: Row) => "quiet" | "good" | "bad" | "warn" | "";
  readonly align?: "start" | "end";
  readonly mono?: boolean;
  /** A track of the grid, e.g. `minmax(160px, 2fr)`. */
  readonly width?: string;
  readonly hint?: string;
}

export interface Order {
  readonly column: string;
  readonly isDown: boolean;
}

/** Rows in the order asked for; in their own order for none. What is missing comes last either way. */
export function sortedRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: Order | null,
): readonly Row[] {
  const column = columns.find((c) => c.id === order?.column);
  if (!column || !order) return rows;
  const sign = order.isDown ? -1 : 1;
  return [...rows].sort((a, b) => {
    const x = column.value(a);
    const y = column.value(b);
    if (x === y) return 0;
    if (x === null || x === undefined) return 1;
    if (y === null || y === undefined) return -1;
    if (typeof x === "number" && typeof y === "number") return sign * (x - y);
    return sign * String(x).localeCompare(String(y), "en", { numeric: true });
  });
}

export function rowsAsCsv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const kept = columns.filter((c) => !c.glyph);
  return toCsv(
    kept.map((c) => c.title),
    rows.map((row) => kept.map((c) => c.value(row))),
  );
}

/** The width below which a table scrolls sideways: all columns at their least, with gaps and edges. */
export function leastWidth<Row>(columns: readonly Column<Row>[]): number {
  const widths = columns.map((c) => Number(/(\d+)px/.exec(c.width ?? "90px")?.[1] ?? 90));
  return widths.reduce((a, b) => a + b, 0) + 12 * (columns.length - 1) + 28;
}
