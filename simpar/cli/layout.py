"""``simpar layout``: draw who holds which slice of a tensor."""

from ast import literal_eval
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeGuard, cast

from cyclopts import Parameter

from simpar.cli.output import console, print_json
from simpar.errors import LayoutError
from simpar.layout import NOT_CUT, Layout, LayoutPicture, coordinates

__all__ = ["layout", "layout_record"]

SHAPE = "'(512, 1024)'"
DEV_MAT = "'(2, 4)'"
TENSOR_MAP = "'(1, 0)' or '((1, 0), -1)'"


def layout(
    shape: str,
    dev_mat: str,
    tensor_map: str,
    *,
    rank: int | None = None,
    svg: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Draw who holds which slice of a tensor.

    Ranks fill the device matrix row by row. Entry i of the tensor map is the device axis that cuts axis i of the
    tensor, counted from the right (0 is the last), -1 for an axis that is not cut, or a tuple of device axes.

    Examples, for 8 ranks:

        simpar layout '(512, 1024)' '(2, 4)' '(1, 0)'
        simpar layout '(512, 1024)' '(2, 4)' '(-1, 0)' --rank 5
        simpar layout '(512, 1024)' '(2, 4)' '((1, 0), -1)' --svg layout.svg

    Args:
        shape: Lengths of the tensor's axes, e.g. '(512, 1024)'.
        dev_mat: The device matrix, e.g. '(2, 4)' for 8 ranks.
        tensor_map: One entry for each axis of the tensor, e.g. '(1, 0)' or '((1, 0), -1)'.
        rank: Mark the slice of this rank and say where the rank stands.
        svg: Write the drawing to this file as well.
        as_json: Print JSON instead of a drawing.
    """
    lengths = _whole_numbers("SHAPE", shape, SHAPE)
    picture = Layout(_whole_numbers("DEV-MAT", dev_mat, DEV_MAT), _entries(tensor_map)).show(lengths, rank)
    if svg is not None:
        _write(svg, picture.svg())
    if as_json:
        print_json(layout_record(picture))
        return
    out = console()
    out.print(picture)
    if rank is not None:
        out.print(_rank_words(picture.layout, lengths, rank), markup=False, highlight=False)
    if svg is not None:
        out.print(f"written to {svg}", markup=False, highlight=False)


def layout_record(picture: LayoutPicture) -> dict[str, object]:
    """Return a layout as JSON will show it: every slice, and the ranks that hold it."""
    of = picture.layout
    shape = of.cuts if picture.shape is None else picture.shape
    found: dict[int, dict[str, object]] = {}
    for r in of.ranks:
        number = of.slice_index(r)
        if number not in found:
            found[number] = {"slice": number, "box": of.box(shape, r), "ranks": of.replicas(r)}
    record: dict[str, object] = {
        "shape": shape,
        "dev_mat": of.dev_mat,
        "tensor_map": of.tensor_map,
        "cuts": of.cuts,
        "slice_shape": of.slice_shape(shape),
        "repeated_over": of.repeated_axes,
        "slices": [found[number] for number in sorted(found)],
    }
    if picture.rank is not None:
        at = coordinates(of.dev_mat, of.place(picture.rank))
        record["rank"] = {"rank": picture.rank, "coordinates": at, "slice": of.slice_index(picture.rank)}
    return record


def _rank_words(of: Layout, shape: tuple[int, ...], rank: int) -> str:
    box = ", ".join(f"{start}:{stop}" for start, stop in of.box(shape, rank))
    at = coordinates(of.dev_mat, of.place(rank))
    words = f"rank {rank} stands at {at} and holds slice {of.slice_index(rank)}: [{box}]"
    others = [r for r in of.replicas(rank) if r != rank]
    if not others:
        return words + ", alone"
    few = ", ".join(map(str, others[:8])) + (f" and {len(others) - 8} more" if len(others) > 8 else "")
    return f"{words}, as {'does rank' if len(others) == 1 else 'do ranks'} {few}"


def _parsed(name: str, text: str, example: str) -> tuple[object, ...]:
    try:
        value = literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise LayoutError(f"{name} is {text!r}, which is not a tuple. Write it like {example}.") from None
    return _items(value) or (() if value == () else (value,))


def _whole_numbers(name: str, text: str, example: str) -> tuple[int, ...]:
    found = _parsed(name, text, example)
    numbers = tuple(n for n in found if _is_whole(n) and n >= 0)
    if len(numbers) != len(found):
        raise LayoutError(f"{name} is {text!r}, but must hold whole numbers. Write it like {example}.")
    return numbers


def _entries(text: str) -> tuple[int | tuple[int, ...], ...]:
    return tuple(_entry(entry, text) for entry in _parsed("TENSOR-MAP", text, TENSOR_MAP))


def _entry(entry: object, text: str) -> int | tuple[int, ...]:
    if entry is None:
        return NOT_CUT
    if _is_whole(entry):
        return entry
    axes = _items(entry)
    numbers = tuple(a for a in axes if _is_whole(a))
    if not axes or len(numbers) != len(axes):
        raise LayoutError(
            f"TENSOR-MAP is {text!r}, but each entry must be a device axis, -1 for none, or a tuple of device axes. "
            f"Write it like {TENSOR_MAP}."
        )
    return numbers


def _items(value: object) -> tuple[object, ...]:
    return tuple(cast("Sequence[object]", value)) if isinstance(value, tuple | list) else ()


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LayoutError(f"the drawing cannot be written to {file}: {error.strerror}. Name another file.") from None
