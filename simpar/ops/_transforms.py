"""What the two faces of the Fourier and cosine transforms share: their axes, lengths and norms as attributes."""

from collections.abc import Sequence
from typing import Any

from simpar.errors import RuleError
from simpar.tensor import Tensor, axis_of

__all__ = ["LAST_TWO", "Axes", "cosine_attrs", "fft_attrs", "shift_attrs"]

Axes = int | Sequence[int] | None
LAST_TWO = (-2, -1)


def _numbers(given: Axes) -> tuple[int, ...] | None:
    return None if given is None else (given,) if isinstance(given, int) else tuple(given)


def _axes(x: Tensor, s: Axes, dim: Axes) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Return the axes of a transform, counted from the left, and their lengths if some are given.

    Raises:
        RuleError: an axis is named twice, or there are not as many lengths as axes.
    """
    lengths, named = _numbers(s), _numbers(dim)
    if named is None:
        named = tuple(range(x.ndim)) if lengths is None else tuple(range(-len(lengths), 0))
    axes = tuple(axis_of(a, x.ndim) for a in named)
    if len(set(axes)) < len(axes) or not axes:
        raise RuleError(f"a transform along the axes {named}: name one or more, and each once.")
    if lengths is not None and len(lengths) != len(axes):
        raise RuleError(f"{len(lengths)} lengths {lengths} for {len(axes)} axes {named}. Give one for each axis.")
    return axes, lengths


def _norm(given: str | None) -> str:
    """Return a norm's name.

    Raises:
        RuleError: there is none of this name.
    """
    name = "backward" if given is None else given.lower()
    if name not in ("backward", "forward", "ortho"):
        raise RuleError(f'norm {given!r} of a transform: choose "backward", "forward" or "ortho".')
    return name


def fft_attrs(x: Tensor, s: Axes, dim: Axes, norm: str | None, *, inverse: bool, mirrored: bool) -> dict[str, Any]:
    """Return the attributes of a Fourier transform.

    Args:
        x: the operand.
        s: the length to which each axis is padded or shortened first; that of the operand if None or -1.
        dim: the axes; the last ones, or all, if None.
        norm: its norm.
        inverse: whether it is an inverse one.
        mirrored: whether the last axis holds half of the numbers only, the others being their mirror.

    Raises:
        RuleError: lengths, axes or norm do not fit.
    """
    axes, lengths = _axes(x, s, dim)
    own = [x.shape[a] for a in axes]
    own[-1] = 2 * (own[-1] - 1) if mirrored else own[-1]
    made = tuple(m if n == -1 else n for n, m in zip(lengths or (-1,) * len(axes), own, strict=True))
    if min(made) < 1:
        raise RuleError(f"a transform of {made} elements along the axes {axes}: give 1 or more.")
    return {"dims": axes, "lengths": made, "norm": _norm(norm), "inverse": inverse}


def cosine_attrs(x: Tensor, type: int, s: Axes, axes: Axes, norm: str | None, *, inverse: bool) -> dict[str, Any]:
    """Return the attributes of a cosine transform; arguments as of ``fft_attrs``.

    Raises:
        RuleError: lengths, axes or norm do not fit, or there is no such type.
    """
    if type not in (1, 2, 3, 4):
        raise RuleError(f"a cosine transform of type {type}: give 1, 2, 3 or 4.")
    return {**fft_attrs(x, s, axes, norm, inverse=inverse, mirrored=False), "type": type, "transposed": False}


def shift_attrs(x: Tensor, dim: Axes, *, inverse: bool) -> dict[str, Any]:
    """Return the attributes of ``roll`` that move the number of frequency 0 to the middle of axes, or back."""
    axes, _ = _axes(x, None, dim)
    halves = (x.shape[a] // 2 for a in axes)
    return {"axis": axes, "shifts": tuple(-n if inverse else n for n in halves)}
