"""Layers under the names of ``mindspore.mint.nn``; ``functional`` holds what they compute."""

from simpar.mint.nn import functional
from simpar.nn import GELU, Identity, L1Loss, LogSoftmax, MSELoss, ReLU, Sigmoid, SiLU, Softmax, Tanh

__all__ = [
    "GELU",
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
