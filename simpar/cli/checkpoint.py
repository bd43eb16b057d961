"""``simpar checkpoint``: what is in a file of Parameters, whether it is whole, and the same in the other format."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich import box
from rich.table import Table
from rich.text import Text

from simpar.checkpoint import Checkpoint, convert_checkpoint, open_checkpoint
from simpar.cli.output import console, print_json
from simpar.errors import CheckpointError

__all__ = ["checkpoint"]


def checkpoint(
    action: Literal["inspect", "verify", "convert"],
    files: Annotated[list[Path], Parameter(negative="")],
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Look into checkpoints: MindSpore's `.ckpt` files, and safetensors.

    Args:
        action: `inspect` lists what each file holds; `verify` reads all values and compares their checksums; `convert`
            writes the first file again, under the second name, in the format that its ending says.
        files: The files.
        as_json: Print JSON instead of tables.
    """
    if action == "convert":
        return _convert(files)
    opened = [open_checkpoint(path) for path in files]
    if action == "verify":
        return _verify(opened)
    if as_json:
        print_json([_record(c) for c in opened])
        return 0
    for c in opened:
        console().print(_table(c))
    return 0


def _convert(files: Sequence[Path]) -> int:
    if len(files) != 2:
        raise CheckpointError(f"convert takes two files, one to read and one to write, not {len(files)}.")
    source, target = files
    if target.suffix not in (".ckpt", ".safetensors"):
        raise CheckpointError(f"{target} must end in .ckpt or .safetensors, which says the format.")
    convert_checkpoint(source, target)
    console().print(f"{target}: {target.stat().st_size} bytes", markup=False, soft_wrap=True)
    return 0


def _verify(opened: Sequence[Checkpoint]) -> int:
    """Print what is wrong with each file, and return 1 if anything is."""
    out, found = console(), 0
    for c in opened:
        wrong = c.damaged()
        unknown = sum(1 for p in c.pieces.values() if p.crc32 is None) if c.crc32 is None else 0
        state = f"damaged: {', '.join(wrong)}" if wrong else f"{len(c.pieces)} tensors, whole"
        state += f"; {unknown} without a checksum" if unknown and not wrong else ""
        out.print(Text(f"{c.file.path}: {state}", style="bold red" if wrong else ""), soft_wrap=True)
        found |= bool(wrong)
    return int(found)


def _record(c: Checkpoint) -> dict[str, object]:
    tensors = [
        {
            "name": p.name, "type": p.type_name, "shape": p.shape, "full_shape": p.full_shape, "box": p.box,
            "layout": None if p.layout is None else str(p.layout), "bytes": p.nbytes, "crc32": p.crc32,
        }
        for p in c.pieces.values()
    ]  # fmt: skip
    manifest = c.manifest
    return {
        "file": str(c.file.path), "format": c.format, "bytes": c.file.size, "rank": manifest.rank,
        "ranks": manifest.ranks, "texts": dict(manifest.texts), "tensors": tensors,
    }  # fmt: skip


def _table(c: Checkpoint) -> Table:
    m = c.manifest
    by = f", saved by rank {m.rank} of {m.ranks}" if m.tensors else ""
    title = Text(f"{c.file.path}: {c.format}, {c.file.size} bytes{by}")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("name", "type", "shape", "slice", "layout"):
        table.add_column(heading)
    table.add_column("bytes", justify="right")
    for p in c.pieces.values():
        part = ", ".join(f"{low}..{high}" for low, high in p.box) if p.is_cut else "whole"
        cut = "" if p.layout is None else str(p.layout)
        cells = (p.name, p.type_name, str(p.full_shape), part, cut, str(p.nbytes))
        table.add_row(*(Text(cell) for cell in cells))  # no markup: names have brackets
    for name, text in m.texts.items():
        table.add_row(Text(name), "text", Text(text))
    return table
