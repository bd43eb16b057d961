"""One SVG element that needs nothing else, follows the reader's light or dark theme, and can be put into any page."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from html import escape
from typing import Literal

from simpar.picture.palette import COLORS, Tone

__all__ = ["Canvas", "Pattern", "fill_class", "fitted", "rules", "text_width"]

Pattern = Literal["hatch", "dots", "cross"]
"""``hatch``: a copy; ``dots``: a term that waits to be joined; ``cross``: nothing is known of it, or it has failed."""

Anchor = Literal["start", "middle", "end"]

MARGIN = 20
_FONT = 'ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif'
_GAP = 5
_MARKS: dict[Pattern, str] = {
    "hatch": f"M-1 {_GAP + 1}L{_GAP + 1} -1M-1 1L1 -1M{_GAP - 1} {_GAP + 1}L{_GAP + 1} {_GAP - 1}",
    "cross": f"M0 {_GAP}L{_GAP} 0M0 0L{_GAP} {_GAP}",
    "dots": "",
}


class Canvas:
    """Gathers elements and writes them as one SVG.

    Args:
        title: what the drawing shows.
        sentences: what follows from it, said in words above it.
        width: of the whole drawing, in pixels.

    >>> canvas = Canvas("One box", ("It is red.",), 200)
    >>> canvas.rect(20, canvas.top, 40, 20, COLORS["bad"], role="box")
    >>> canvas.svg(120)[:43]
    '<svg xmlns="http://www.w3.org/2000/svg" cla'
    """

    def __init__(self, title: str, sentences: Sequence[str] = (), width: float = 860) -> None:
        self.title, self.sentences, self.width = title, tuple(sentences), width
        self._body: list[str] = []
        self._fills: dict[str, Tone] = {}
        self._strokes: dict[str, Tone] = {}
        self._patterns: dict[str, str] = {}
        lines = [line for sentence in self.sentences for line in _broken(sentence, width - 2 * MARGIN, 12)]
        self.text(MARGIN, 30, fitted(title, width - 2 * MARGIN, 15), size=15, weight=600)
        for i, line in enumerate(lines):
            self.text(MARGIN, 52 + 17 * i, line, COLORS["quiet"])
        self.top: float = 52 + 17 * len(lines) + 4
        """Where the drawing below the words may begin."""

    def rect(
        self, x: float, y: float, width: float, height: float, fill: Tone | None = None, *,
        stroke: Tone | None = None, thick: float = 1, radius: float = 0, dash: str = "", pattern: Pattern | None = None,
        role: str = "", hint: str = "",
    ) -> None:  # fmt: skip
        """Draw a box.

        Args:
            x, y, width, height: where it lies.
            fill: its colour; none if None.
            stroke: of its edge; none if None.
            thick: of the edge.
            radius: of its corners.
            dash: of the edge, as SVG writes it.
            pattern: drawn over it.
            role: what it stands for; tests and other programs find it by this.
            hint: words that a pointer that rests on it shows.
        """
        place = f'x="{x:.4g}" y="{y:.5g}" width="{max(0.0, width):.5g}" height="{max(0.0, height):.5g}"'
        place += f' rx="{radius:g}"' if radius else ""
        looks = self._looks(fill, stroke, thick, dash)
        self._add("rect", f"{place} {looks}" + (f' data-role="{escape(role)}"' if role else ""), hint)
        if pattern is not None:
            self._body.append(f'<rect {place} fill="url(#{self._pattern(pattern)})"/>')

    def text(
        self, x: float, y: float, words: str, tone: Tone = COLORS["ink"], *,
        size: float = 12, anchor: Anchor = "start", weight: int = 0,
    ) -> None:  # fmt: skip
        """Write words on the line ``y``."""
        if not words:
            return
        looks = f'class="{self._fill(tone)}"'
        looks += f' font-size="{size:g}"' if size != 12 else ""
        looks += f' text-anchor="{anchor}"' if anchor != "start" else ""
        looks += f' font-weight="{weight}"' if weight else ""
        self._body.append(f'<text x="{x:.5g}" y="{y:.5g}" {looks}>{escape(words)}</text>')

    def line(
        self, points: Sequence[tuple[float, float]], tone: Tone, thick: float = 1, *,
        dash: str = "", role: str = "", hint: str = "",
    ) -> None:  # fmt: skip
        """Draw a line through points."""
        at = " ".join(f"{x:.5g},{y:.5g}" for x, y in points)
        told = f' data-role="{escape(role)}"' if role else ""
        looks = self._looks(None, tone, thick, dash)
        self._add("polyline", f'points="{at}" stroke-linejoin="round" {looks}{told}', hint)

    def circle(
        self, x: float, y: float, radius: float, fill: Tone | None = None, stroke: Tone | None = None, hint: str = ""
    ) -> None:
        """Draw a disc or a ring."""
        self._add("circle", f'cx="{x:.5g}" cy="{y:.5g}" r="{radius:g}" {self._looks(fill, stroke, 1.5, "")}', hint)

    @contextmanager
    def moved(self, x: float, y: float) -> Generator[None]:
        """Draw what follows at another place."""
        self._body.append(f'<g transform="translate({x:g},{y:g})">')
        yield
        self._body.append("</g>")

    def put(self, svg: str, x: float, y: float) -> None:
        """Put another drawing into this one."""
        self._body.append(f'<g transform="translate({x:g},{y:g})">{svg}</g>')

    def svg(self, height: float) -> str:
        """Return the drawing as one SVG element of this height."""
        w, h = f"{self.width:.0f}", f"{height:.0f}"
        paper = COLORS["surface"], COLORS["line"]
        back = f'class="{self._fill(paper[0])} {self._stroke(paper[1])}"'
        style = rules(self._fills.values(), self._strokes.values())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="simpar-view" role="img" width="{w}" height="{h}" '
            f'viewBox="0 0 {w} {h}" font-family=\'{_FONT}\' font-size="12"><title>{escape(self.title)}</title>'
            f"<desc>{escape(' '.join(self.sentences))}</desc><style>{style}</style>"
            f"<defs>{''.join(self._patterns.values())}</defs>"
            f'<rect x=".5" y=".5" width="{self.width - 1:.0f}" height="{height - 1:.0f}" rx="10" {back}/>'
            f"{''.join(self._body)}</svg>"
        )

    def _add(self, name: str, attributes: str, hint: str) -> None:
        end = f"><title>{escape(hint)}</title></{name}>" if hint else "/>"
        self._body.append(f"<{name} {attributes}{end}")

    def _looks(self, fill: Tone | None, stroke: Tone | None, thick: float, dash: str) -> str:
        classes = [] if fill is None else [self._fill(fill)]
        classes += [] if stroke is None else [self._stroke(stroke)]
        looks = f'class="{" ".join(classes)}"' + (' fill="none"' if fill is None else "")
        looks += f' stroke-width="{thick:g}"' if stroke is not None and thick != 1 else ""
        return looks + (f' stroke-dasharray="{dash}"' if dash else "")

    def _fill(self, tone: Tone) -> str:
        name = fill_class(tone)
        self._fills[name] = tone
        return name

    def _stroke(self, tone: Tone) -> str:
        name = _stroke_class(tone)
        self._strokes[name] = tone
        return name

    def _pattern(self, pattern: Pattern) -> str:
        paper, name = COLORS["surface"], f"simpar-{pattern}"
        mark = f'<path d="{_MARKS[pattern]}" class="{self._stroke(paper)}" stroke-opacity=".8"/>'
        if pattern == "dots":
            mark = f'<circle cx="2.5" cy="2.5" r="1.1" class="{self._fill(paper)}" fill-opacity=".8"/>'
        box = f'width="{_GAP}" height="{_GAP}" patternUnits="userSpaceOnUse"'
        self._patterns[name] = f'<pattern id="{name}" {box}>{mark}</pattern>'
        return name


def fill_class(tone: Tone) -> str:
    """Return the class that fills with a tone: named by its colours, so that drawings on one page cannot disagree."""
    return f"simpar-f{tone.light[1:]}{tone.dark[1:]}"


def _stroke_class(tone: Tone) -> str:
    return f"simpar-s{tone.light[1:]}{tone.dark[1:]}"


def rules(fills: Iterable[Tone], strokes: Iterable[Tone] = ()) -> str:
    """Return the style rules of classes of tones, for light and for dark."""
    named = [(fill_class(t), "fill", t) for t in fills] + [(_stroke_class(t), "stroke", t) for t in strokes]
    light = "".join(f".{name}{{{what}:{tone.light}}}" for name, what, tone in named)
    dark = "".join(f".{name}{{{what}:{tone.dark}}}" for name, what, tone in named if tone.light != tone.dark)
    return f"{light}@media (prefers-color-scheme:dark){{{dark}}}"


def text_width(words: str, size: float) -> float:
    """Return about how wide words are, in pixels."""
    return len(words) * size * 0.56


def fitted(words: str, room: float, size: float) -> str:
    """Return words cut so that they fit, with a mark where they were."""
    most = int(room / (size * 0.56))
    return words if len(words) <= most else words[: max(0, most - 1)] + "…" if most > 1 else ""


def _broken(words: str, room: float, size: float) -> list[str]:
    lines: list[str] = []
    for word in words.split(" "):
        if lines and text_width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
