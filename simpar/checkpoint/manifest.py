"""The manifest that a checkpoint carries: which box of which whole each of its tensors is, and their checksums.

It is one JSON text, kept where other readers of the file pass over it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from simpar.errors import CheckpointError, LayoutError
from simpar.layout import Box, Layout

__all__ = ["Manifest", "Placed"]

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Placed:
    """What a manifest says of one tensor: its checksum, and of a slice where it belongs."""

    crc32: int = 0
    full_shape: tuple[int, ...] | None = None
    box: Box | None = None
    layout: Layout | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a checkpoint says of itself.

    Args:
        rank: the rank that wrote it.
        ranks: how many there were.
        tensors: what it says of each tensor.
        texts: values of ``append_dict`` that are text.
    """

    rank: int = 0
    ranks: int = 1
    tensors: Mapping[str, Placed] = field(default_factory=dict[str, Placed])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])

    def to_json(self) -> str:
        """Return it as text, of equal length whatever the checksums are.

        >>> Manifest.from_json(Manifest(1, 4, {"w": Placed(7)}).to_json()).tensors["w"].crc32
        7
        """
        tensors = {name: _placed_json(placed) for name, placed in self.tensors.items()}
        content = {"version": _VERSION, "rank": self.rank, "ranks": self.ranks, "tensors": tensors, "texts": self.texts}
        return json.dumps(content, separators=(",", ":"))

    def with_sums(self, sums: Mapping[str, int]) -> "Manifest":
        """Return it with the checksums of the tensors."""
        return replace(self, tensors={n: replace(p, crc32=sums.get(n, p.crc32)) for n, p in self.tensors.items()})

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Return the manifest of a text, which is not trusted.

        Raises:
            CheckpointError: the text is no manifest, or one of a later simpar.
        """
        try:
            content: dict[str, Any] = json.loads(text)
            if int(content["version"]) > _VERSION:
                raise CheckpointError(f"version {content['version']} of the manifest is newer than {_VERSION}")
            tensors = {str(name): _placed(given) for name, given in content["tensors"].items()}
            texts = {str(name): str(value) for name, value in content["texts"].items()}
            return cls(int(content["rank"]), int(content["ranks"]), tensors, texts)
        except (AttributeError, KeyError, LayoutError, RecursionError, TypeError, ValueError) as error:
            raise CheckpointError(f"the manifest is broken: {str(error)[:200]}. Save the checkpoint again.") from None


def _placed_json(placed: Placed) -> dict[str, Any]:
    out: dict[str, Any] = {"crc32": f"{placed.crc32:08x}"}
    if placed.full_shape is not None:
        out |= {"full_shape": placed.full_shape, "box": placed.box}
    if placed.layout is not None:
        layout = placed.layout
        out |= {"dev_mat": layout.dev_mat, "tensor_map": layout.tensor_map, "rank_list": layout.rank_list}
        out |= {"lengths": layout.lengths} if layout.lengths else {}
    return out


def _placed(given: Mapping[str, Any]) -> Placed:
    crc32, full = int(given["crc32"], 16), given.get("full_shape")
    if full is None:
        return Placed(crc32)
    shape = tuple(int(n) for n in full)
    box = tuple((int(low), int(high)) for low, high in given["box"])
    if len(box) != len(shape) or any(not 0 <= low <= high <= n for (low, high), n in zip(box, shape, strict=True)):
        raise CheckpointError(f"box {box} does not lie in shape {shape}")
    layout = None
    if "dev_mat" in given:
        entries = tuple(_entry(e) for e in given["tensor_map"])
        ranks = given.get("rank_list")
        lengths = tuple(tuple(int(n) for n in own) for own in given.get("lengths", ()))
        layout = Layout(tuple(given["dev_mat"]), entries, None if ranks is None else tuple(ranks), lengths=lengths)
    return Placed(crc32, shape, box, layout)


def _entry(given: Any) -> int | tuple[int, ...]:
    return tuple(cast("list[int]", given)) if isinstance(given, list) else int(given)
