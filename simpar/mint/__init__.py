"""MindSpore's ``mindspore.mint``: the ops as functions with PyTorch's argument names and defaults.

A thin door: where a function of ``simpar.ops`` means the same it is that function, else a few lines call it.

Read in this order: ``math`` (element by element, products), ``reductions``, ``arrays`` (shapes and new tensors),
``random``, ``indexing`` (by number, in order, products of matrices), ``nn`` (layers) with ``nn.functional``;
``distributed`` (collectives) is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from simpar.mint import arrays, indexing, math, nn, random, reductions
from simpar.mint.arrays import *  # noqa: F403
from simpar.mint.indexing import *  # noqa: F403
from simpar.mint.math import *  # noqa: F403
from simpar.mint.nn.functional import softmax
from simpar.mint.random import *  # noqa: F403
from simpar.mint.reductions import *  # noqa: F403

__all__: list[str] = ["nn", "softmax"]
__all__ += arrays.__all__
__all__ += math.__all__
__all__ += random.__all__
__all__ += reductions.__all__
__all__ += indexing.__all__

if not TYPE_CHECKING:  # a type checker knows the module that is there

    def __getattr__(name: str) -> object:
        """Import the collectives when they are asked for."""
        if name != "distributed":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module("simpar.mint.distributed")
