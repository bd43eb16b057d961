/** What can be pointed at in the timeline: its bars, or its rows where it shows shares. */

import type { CollectiveItem, Span } from "../api/types";
import type { Row } from "../draw/lanes";
import { neighbourSpan, sharesOf } from "../draw/lanes";
import type { TimelinePicture } from "../draw/timeline";
import { percent, seconds } from "../math/words";
import type { Marks } from "../ui/marks";
import type { Named } from "./timeline-words";

interface Shown {
  readonly picture: TimelinePicture;
  readonly spans: readonly Span[];
  readonly rows: readonly Row[];
  readonly selected: Span | undefined;
  readonly named: Named;
  item(program: number, collective: number): CollectiveItem | undefined;
}

export function timelineMarks(shown: Shown): Marks {
  return shown.picture.isExact ? spanMarks(shown) : rowMarks(shown);
}

function spanMarks({ picture, spans, selected, named, item }: Shown): Marks {
  return {
    count: spans.length,
    at(x, y) {
      const hit = picture.spanAt(x, y);
      return hit ? spans.indexOf(hit) : -1;
    },
    step(from, dx, dy) {
      const next = neighbourSpan(spans, spans[from] ?? selected, dx, dy);
      return next ? spans.indexOf(next) : -1;
    },
    words(i) {
      const one = spans[i];
      if (!one) return "";
      const why = item(one.program, one.collective)?.why;
      return `rank ${one.rank}, step ${one.step}: ${named(one.program, one.collective)}, ${seconds(one.end_s - one.start_s)}, of it ${seconds(one.wait_s)} waiting${why ? `\n${why}` : ""}`;
    },
    box: (i) => (spans[i] ? picture.spanBox(spans[i]) : picture.rowBox(0)),
  };
}

function rowMarks({ picture, rows }: Shown): Marks {
  return {
    count: rows.length,
    at: (_, y) => picture.rowAt(y),
    step: (from, dx, dy) => Math.max(0, Math.min(rows.length - 1, from + (dy || dx))),
    words(i) {
      const row = rows[i];
      if (!row) return "";
      const s = sharesOf(row);
      return `${row.label}: ${percent(s.compute)} computing, ${percent(s.communication)} moving data, ${percent(s.wait)} waiting`;
    },
    box: (i) => picture.rowBox(i),
  };
}
