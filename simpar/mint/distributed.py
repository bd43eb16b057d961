"""MindSpore's ``mindspore.mint.distributed``: see ``simpar.communication.in_place``."""

from simpar.communication import in_place, letters, objects, process_groups

_PARTS = (in_place, letters, objects, process_groups)

__all__ = sorted(name for part in _PARTS for name in part.__all__)  # pyright: ignore[reportUnsupportedDunderAll]

globals().update({name: getattr(part, name) for part in _PARTS for name in part.__all__})
