"""Where the ranks stand on a page: as in the device matrix, its last axis to the right, the one before down.

Further device axes are frames around what lies within them, as in the inspector.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from simpar.picture import COLORS, Canvas

__all__ = ["Frame", "Wall", "lay_wall"]

_TILES = (64, 56, 48, 40, 34, 28, 22, 18, 14, 12, 10, 8, 6, 5, 4)
_PAD, _TITLE = 10, 20


@dataclass(frozen=True, slots=True)
class Frame:
    """A box around the ranks that share a place along some device axis."""

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True, slots=True)
class Wall:
    """Where everything stands.

    Args:
        tile: the side of a rank's tile.
        corners: upper left of each tile, by the place in the device matrix, row by row.
        frames: outer ones first.
        width, height: of all.
        caption: how the axes run, in words.
    """

    tile: float
    corners: tuple[tuple[float, float], ...]
    frames: tuple[Frame, ...]
    width: float
    height: float
    caption: str

    def paint_frames(self, canvas: Canvas) -> None:
        """Draw the frames, and how the axes run."""
        canvas.text(0, -8, self.caption, COLORS["quiet"], size=11)
        for f in self.frames:
            canvas.rect(f.x, f.y, f.width, f.height, COLORS["paper"], stroke=COLORS["line"], radius=8)
            if f.width > 70:
                canvas.text(f.x + _PAD, f.y + 14, f.words, COLORS["quiet"], size=11)


def lay_wall(dev_mat: Sequence[int], width: float, height: float, largest: float = 64) -> Wall:
    """Lay a device matrix out in a room, with the largest tiles that fit.

    >>> wall = lay_wall((2, 4), 400, 300)
    >>> wall.caption, wall.corners[5]
    ('device axis 0 →  ·  axis 1 ↓', (70, 70))
    """
    sizes = [t for t in _TILES if t <= largest] or [largest]
    for tile in sizes:
        wall = _attempt(tuple(dev_mat), tile, width)
        if wall.width <= width and wall.height <= height:
            return wall
    return _attempt(tuple(dev_mat), sizes[-1], width)


def _attempt(dev_mat: tuple[int, ...], tile: float, width: float) -> Wall:
    gap = 6 if tile >= 40 else 4 if tile >= 20 else 2 if tile >= 10 else 1
    axes = [(len(dev_mat) - 1 - i, n) for i, n in enumerate(dev_mat) if n > 1][::-1]  # (device axis, size), minor first
    corners: list[tuple[float, float]] = [(0, 0)]
    frames: list[Frame] = []
    w = h = tile
    said: list[str] = []
    for depth, (axis, size) in enumerate(axes):
        inset = 2 * _PAD * max(0, len(axes) - max(2, depth + 1))
        is_framed = depth >= 2
        step_w, step_h = (w + 3 * _PAD, h + 2 * _PAD + _TITLE) if is_framed else (w + gap, h + gap)
        fits = max(1, int((width - inset + gap) // step_w))
        columns = 1 if depth == 1 else size if fits >= size else _dividing(size, fits)
        places = [((i % columns) * step_w, (i // columns) * step_h) for i in range(size)]
        inner = (_PAD, _TITLE) if is_framed else (0, 0)
        corners = [(x + px + inner[0], y + py + inner[1]) for px, py in places for x, y in corners]
        inside = [Frame(f.x + px + inner[0], f.y + py + inner[1], f.width, f.height, f.words)
                  for px, py in places for f in frames]  # fmt: skip
        own = [
            Frame(px, py, w + 2 * _PAD, h + _PAD + _TITLE, f"axis {axis} at {i}") for i, (px, py) in enumerate(places)
        ]
        frames = (own if is_framed else []) + inside
        end = _PAD if is_framed else gap
        w, h = columns * step_w - end, -(-size // columns) * step_h - end
        lines = ", in lines" if depth == 0 and columns < size else ""
        said.append(f"axis {axis} {'in frames' if is_framed else '↓' if depth else '→'}{lines}")
    caption = f"device {'  ·  '.join(said)}" if said else "one rank"
    assert len(corners) == prod(dev_mat), "every place has a tile"
    return Wall(tile, tuple(corners), tuple(frames), w, h, caption)


def _dividing(n: int, most: int) -> int:
    """Return the largest divisor up to a limit; the limit itself if only small ones divide."""
    return next((d for d in range(most, most // 2, -1) if n % d == 0), most)
