/** Fusion buckets: what fills each of them, when each part was ready, and when the whole was launched. */

import type { Bucket } from "../api/types";
import { bytes, plural, seconds } from "../math/words";
import { inkOn, kindOf, mix } from "./palette";
import type { Palette } from "./palette";
import { drawSign } from "./signs";
import { fitted, textWidth } from "./surface";
import type { Drawing, Surface } from "./surface";

export interface BucketsView {
  readonly buckets: readonly Bucket[];
  readonly palette: Palette;
  readonly width: number;
  readonly selected?: number | null | undefined;
  /** The parameter that stands out. */
  readonly parameter?: string | null | undefined;
}

/** One part of a bucket on the page. */
export interface Part {
  readonly bucket: number;
  readonly member: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface BucketsPicture {
  readonly drawing: Drawing;
  readonly parts: readonly Part[];
}

const HEAD = 26;
const BAR = 30;
const READY = 34;
const GAP = 18;

/** Where the program's instructions stand across the page, from the first that matters to the last. */
function programSpan(buckets: readonly Bucket[]): [number, number] {
  const places = buckets
    .flatMap((b) => [b.launched, ...b.members.map((m) => m.ready)])
    .filter((p) => p !== null);
  return places.length > 0 ? [Math.min(...places), Math.max(...places)] : [0, 1];
}

export function bucketsPicture(view: BucketsView): BucketsPicture {
  const { buckets, width } = view;
  const largest = Math.max(1, ...buckets.map((b) => b.message_bytes));
  const right = width - 2;
  const tops: number[] = [];
  const parts: Part[] = [];
  let height = 0;
  buckets.forEach((bucket, i) => {
    tops.push(height);
    const top = height + HEAD;
    height += HEAD + BAR + (hasReadiness(bucket) ? READY : 0) + GAP;
    const known = bucket.members.reduce((n, m) => n + m.bytes, 0);
    const long = Math.max(2, (bucket.message_bytes / largest) * right);
    let x = 0;
    bucket.members.forEach((member, k) => {
      const share = known > 0 ? member.bytes / known : 1 / bucket.members.length;
      parts.push({ bucket: i, member: k, x, y: top, width: share * long, height: BAR });
      x += share * long;
    });
    if (bucket.members.length === 0)
      parts.push({ bucket: i, member: -1, x: 0, y: top, width: long, height: BAR });
  });
  return {
    drawing: {
      width,
      height: Math.max(HEAD, height),
      paint(s) {
        buckets.forEach((bucket, i) => head(s, view, bucket, i, tops[i] ?? 0));
        parts.forEach((part) => fill(s, view, part));
        buckets.forEach((bucket, i) =>
          readiness(s, view, bucket, (tops[i] ?? 0) + HEAD + BAR + 6, right),
        );
      },
    },
    parts,
  };
}

function hasReadiness(bucket: Bucket): boolean {
  return bucket.launched !== null && bucket.members.some((m) => m.ready !== null);
}

function head(s: Surface, view: BucketsView, bucket: Bucket, i: number, y: number): void {
  const { palette, width } = view;
  const kind = kindOf(bucket.kind);
  const isChosen = view.selected === i;
  const name = bucket.fusion ? `bucket ${bucket.fusion}` : "alone";
  s.rect(0, y + 3, 22, 16, { color: kind.color, radius: 4 });
  drawSign(s, 11, y + 11, kind.sign, inkOn(kind.color), 10);
  s.text(30, y + 11.5, name, {
    color: isChosen ? palette.selected : palette.ink,
    size: 13,
    weight: 600,
  });
  const n = bucket.members.length;
  const launched = bucket.launched === null ? "" : `, launched at instruction ${bucket.launched}`;
  const when =
    bucket.mean_offset_s === null ? "" : `, ${seconds(bucket.mean_offset_s)} into the step`;
  const rest = `${bucket.kind} of ${bytes(bucket.message_bytes)} for ${plural(n, "parameter")}${launched}${when}`;
  const from = 30 + textWidth(name, 13) + 14;
  s.text(from, y + 11.5, fitted(rest, width - from, 12), { color: palette.quiet, size: 12 });
}

function fill(s: Surface, view: BucketsView, part: Part): void {
  const { palette } = view;
  const bucket = view.buckets[part.bucket];
  if (!bucket) return;
  const member = bucket.members[part.member];
  const strong = kindOf(bucket.kind).color;
  const isOwn = member !== undefined && member.parameter === view.parameter;
  const soft = mix(strong, palette.surface, part.member % 2 ? 0.74 : 0.64);
  s.rect(part.x, part.y, Math.max(0.5, part.width - 1), part.height, {
    color: isOwn ? strong : soft,
  });
  if (member && part.width > 26) {
    const words = fitted(member.parameter, part.width - 12, 11.5);
    s.text(part.x + 6, part.y + part.height / 2, words, {
      color: isOwn ? inkOn(strong) : palette.ink,
      size: 11.5,
    });
  }
  if (isOwn) {
    s.rect(part.x, part.y, Math.max(3, part.width - 1), part.height, {
      stroke: { color: palette.selected, width: 2 },
    });
  }
}

/** Places in the program: where each part was ready, and where the bucket was launched. */
function readiness(s: Surface, view: BucketsView, bucket: Bucket, y: number, right: number): void {
  const { palette, buckets } = view;
  const ready = bucket.members.flatMap((m) => (m.ready === null ? [] : [m.ready]));
  if (bucket.launched === null || ready.length === 0) return;
  const [first, last] = programSpan(buckets);
  const x = (place: number) => 4 + ((place - first) / Math.max(1, last - first)) * (right - 12);
  const line = y + 9;
  s.line(
    [
      { x: 4, y: line },
      { x: right - 8, y: line },
    ],
    { color: palette.line },
  );
  s.line(
    [
      { x: x(Math.min(...ready)), y: line },
      { x: x(bucket.launched), y: line },
    ],
    { color: palette.edge, width: 3 },
  );
  for (const place of ready) s.circle(x(place), line, 3, { color: palette.quiet });
  const at = x(bucket.launched);
  s.circle(at, line, 5, {
    color: kindOf(bucket.kind).color,
    stroke: { color: palette.surface, width: 1.5 },
  });
  const begin = `first part ready after instruction ${Math.min(...ready)}`;
  const from = x(Math.min(...ready));
  const isRoom = from + textWidth(begin, 10.5) < right;
  s.text(isRoom ? from : right, line + 15, begin, {
    color: palette.quiet,
    size: 10.5,
    align: isRoom ? "start" : "end",
  });
}
