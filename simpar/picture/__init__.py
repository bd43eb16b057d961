"""What drawings are made of: colours that hold in light and in dark, and SVG elements.

Pictures of layouts (``simpar.layout``) and of runs (``simpar.runs``) look like those of the inspector: the palette, the
signs of the collectives and the hatches are the same as in ``web/src/draw``, and a test compares them.

Read it in this order:

- `palette`: colours as pairs, one for light and one for dark; the ramp of slices; kinds of movement and their signs;
- `svg`: a canvas that elements are drawn on, and the one SVG that comes of it.
"""

from simpar.picture.palette import (
    COLORS,
    KINDS,
    MEMORY,
    Kind,
    Tone,
    fixed,
    ink_on,
    kind_of,
    mix,
    ramp,
    soft,
    soft_ramp,
)
from simpar.picture.svg import Canvas, Pattern, fill_class, fitted, rules, text_width

__all__ = [
    "COLORS",
    "KINDS",
    "MEMORY",
    "Canvas",
    "Kind",
    "Pattern",
    "Tone",
    "fill_class",
    "fitted",
    "fixed",
    "ink_on",
    "kind_of",
    "mix",
    "ramp",
    "rules",
    "soft",
    "soft_ramp",
    "text_width",
]
