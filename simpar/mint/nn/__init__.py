"""Layers under the names of ``mindspore.mint.nn``.

Read in this order: ``functional`` with ``windows`` (what the layers compute), ``layers`` (those that hold Parameters),
``plain`` (those that hold none).
"""

from simpar.mint.nn import functional, layers, plain
from simpar.mint.nn.layers import *  # noqa: F403
from simpar.mint.nn.plain import *  # noqa: F403
from simpar.nn import Identity, L1Loss, LogSoftmax, MSELoss, ReLU, Sigmoid, SiLU, Softmax, Tanh

__all__: list[str] = [
    "Identity",
    "L1Loss",
    "LogSoftmax",
    "MSELoss",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "functional",
]
__all__ += layers.__all__
__all__ += plain.__all__
