"""The layers: Cells with Parameters of their own, and activations as Cells.

``basic`` (Dense, Embedding, Flatten, Dropout, Identity), ``activation``, ``normalization``, ``convolution``.
"""

from simpar.nn.layers.activation import (
    GELU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    get_activation,
)
from simpar.nn.layers.basic import Dense, Dropout, Embedding, Flatten, Identity
from simpar.nn.layers.convolution import AvgPool2d, Conv2d, MaxPool2d
from simpar.nn.layers.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d, LayerNorm

__all__ = [
    "GELU",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Conv2d",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Identity",
    "LayerNorm",
    "LogSoftmax",
    "MaxPool2d",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "get_activation",
]
