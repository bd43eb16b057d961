"""Colours of drawings, each for light and for dark; the same as in ``web/src/draw/palette.ts``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = [
    "COLORS", "KINDS", "MEMORY", "Kind", "Tone", "fixed", "ink_on", "kind_of", "mix", "ramp", "soft", "soft_ramp",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tone:
    """A colour as ``#rrggbb``, on light paper and on dark."""

    light: str
    dark: str


COLORS: Final[Mapping[str, Tone]] = {
    "paper": Tone("#f5f7f9", "#0f1419"),
    "surface": Tone("#ffffff", "#161c23"),
    "sunken": Tone("#eef1f4", "#1d252e"),
    "ink": Tone("#17212b", "#e7ecf1"),
    "quiet": Tone("#5a6876", "#9ba9b6"),
    "line": Tone("#e1e6eb", "#27313b"),
    "edge": Tone("#b9c4ce", "#465361"),
    "accent": Tone("#1d5fae", "#7fb4f5"),
    "accentSoft": Tone("#e4eefa", "#1a2c42"),
    "selected": Tone("#c2410c", "#fb923c"),
    "good": Tone("#17734c", "#5cc495"),
    "bad": Tone("#b42318", "#ff8a80"),
    "warn": Tone("#95590a", "#e9b35c"),
}
"""The colours of a page, by what they are for."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of movement: its colour (Okabe and Ito's), and the sign that says the same without colour."""

    color: str
    sign: str


KINDS: Final[Mapping[str, Kind]] = {
    "all_reduce": Kind("#D55E00", "Σ"),
    "reduce_scatter": Kind("#E69F00", "Σ/"),
    "all_gather": Kind("#0072B2", "⧉"),
    "all_to_all": Kind("#009E73", "⇄"),
    "exchange": Kind("#009E73", "⇄"),
    "permute": Kind("#CC79A7", "→"),
    "halo_exchange": Kind("#CC79A7", "↔"),
    "halo_reduce": Kind("#CC79A7", "Σ↔"),
    "neighbor_exchange": Kind("#CC79A7", "↔"),
    "broadcast": Kind("#CC79A7", "→"),
    "send": Kind("#CC79A7", "→"),
    "receive": Kind("#CC79A7", "→"),
    "slice": Kind("#56B4E9", "✂"),
}
"""Collectives and steps of redistributions, by name."""

MEMORY: Final[Mapping[str, str]] = {"parameter": "#0072B2", "optimizer state": "#009E73", "arena": "#E69F00"}
"""Classes of what fills a rank's memory, by name, as in ``web/src/draw/memory.ts``."""

_OTHER = "#7f8b97"

_VIRIDIS: Final = (
    "440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d"
    "2f6b8e2c728e297a8e26828e23898e21918c1f978b1f9f8821a68527ad8131b57b"
    "3dbc744cc26c5cc8636ece5881d34d95d840aadc32c0df25d5e21aeae51afde725"
)
"""Viridis (Smith and van der Walt) at 33 places from 0 to 1, dark to light, six digits each."""


def kind_of(name: str) -> Kind:
    """Return the colour and sign of a collective or of a step; grey for what computes."""
    return KINDS.get(name, Kind(_OTHER, ""))


def fixed(color: str) -> Tone:
    """Return a colour that is the same in light and in dark."""
    return Tone(color, color)


def ramp(index: int, count: int) -> Tone:
    """Return the colour of a slice by its number: lightness rises with it.

    A help to the eye; position and glyph tell the slice.

    >>> ramp(0, 1) == ramp(1, 3)
    True
    """
    at = 0.5 if count <= 1 else index / (count - 1)
    return Tone(_viridis(0.2 + at * (0.88 - 0.2)), _viridis(0.26 + at * (0.86 - 0.26)))


def soft_ramp(index: int, count: int) -> Tone:
    """Return the colour of a slice, quiet enough to be written on."""
    strong, paper = ramp(index, count), COLORS["surface"]
    return Tone(mix(strong.light, paper.light, 0.66), mix(strong.dark, paper.dark, 0.62))


def soft(color: str, light: float = 0.66, dark: float = 0.5) -> Tone:
    """Return a colour mixed with a share of the surface, so that it can be written on."""
    paper = COLORS["surface"]
    return Tone(mix(color, paper.light, light), mix(color, paper.dark, dark))


def mix(one: str, other: str, share: float) -> str:
    """Return one colour mixed with a share of another.

    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{int(a * (1 - share) + b * share + 0.5):02x}" for a, b in pairs)


def ink_on(color: str) -> str:
    """Return dark or light ink, whichever can be read on a colour.

    >>> ink_on("#E69F00"), ink_on("#0072B2")
    ('#17212b', '#ffffff')
    """
    r, g, b = ((v / 255) ** 2.2 for v in _parts(color))
    return "#17212b" if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 else "#ffffff"


def _viridis(at: float) -> str:
    place = at * (len(_VIRIDIS) // 6 - 1)
    first = min(len(_VIRIDIS) // 6 - 2, int(place))
    one, other = ("#" + _VIRIDIS[6 * i : 6 * i + 6] for i in (first, first + 1))
    return mix(one, other, place - first)


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
