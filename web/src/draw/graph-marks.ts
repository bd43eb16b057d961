/** What can be pointed at in the picture of a graph. */

import type { Placed } from "./arrange";
import type { GraphView } from "./graph";
import type { Point } from "./surface";

/** What can be pointed at: the boxes, in the order of the program. */
export function boxAt(view: GraphView, x: number, y: number): number {
  const px = x / view.scale;
  const py = y / view.scale;
  return view.picture.boxes.findIndex((box) => {
    const at = view.arranged.boxes[box.id];
    return at && px >= at.x && px <= at.x + at.width && py >= at.y && py <= at.y + at.height;
  });
}

/** The nearest box in a direction. */
export function boxBeside(view: GraphView, from: number, dx: number, dy: number): number {
  const centre = (i: number): Point => {
    const at = view.arranged.boxes[view.picture.boxes[i]?.id ?? ""];
    return at ? { x: at.x + at.width / 2, y: at.y + at.height / 2 } : { x: 0, y: 0 };
  };
  if (from < 0) return view.picture.boxes.length > 0 ? 0 : -1;
  const origin = centre(from);
  let best = from;
  let least = Infinity;
  view.picture.boxes.forEach((_, i) => {
    const to = centre(i);
    const along = (to.x - origin.x) * dx + (to.y - origin.y) * dy;
    const off = Math.abs((to.x - origin.x) * dy) + Math.abs((to.y - origin.y) * dx);
    if (along > 4 && along + 2 * off < least) {
      least = along + 2 * off;
      best = i;
    }
  });
  return best;
}

/** Where a box stands on the page. */
export function boxFrame(view: GraphView, i: number): Placed {
  const at = view.arranged.boxes[view.picture.boxes[i]?.id ?? ""] ?? {
    x: 0,
    y: 0,
    width: 0,
    height: 0,
  };
  const k = view.scale;
  return { x: at.x * k, y: at.y * k, width: at.width * k, height: at.height * k };
}
