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
from simpar.nn.layers.rectifiers import ELU, HSigmoid, HSwish, LogSigmoid, Mish, ReLU6, SeLU, Softsign

__all__ = [
    "ELU",
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
    "HSigmoid",
    "HSwish",
    "Identity",
    "LayerNorm",
    "LogSigmoid",
    "LogSoftmax",
    "MaxPool2d",
    "Mish",
    "ReLU",
    "ReLU6",
    "SeLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softsign",
    "Tanh",
    "get_activation",
]
