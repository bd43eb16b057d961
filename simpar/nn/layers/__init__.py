"""The layers: Cells with Parameters of their own, and activations as Cells.

``basic`` (Dense, Embedding, Flatten, Dropout, Identity, ClipByNorm), ``activation``, ``rectifiers``,
``normalization``, ``convolution``, ``embedding`` (tables of features).
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
from simpar.nn.layers.basic import ClipByNorm, Dense, Dropout, Embedding, Flatten, Identity
from simpar.nn.layers.convolution import AvgPool2d, Conv2d, MaxPool2d
from simpar.nn.layers.embedding import EmbeddingLookup, MultiFieldEmbeddingLookup
from simpar.nn.layers.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d, LayerNorm
from simpar.nn.layers.rectifiers import ELU, HSigmoid, HSwish, LogSigmoid, Mish, PReLU, ReLU6, SeLU, Softsign

__all__ = [
    "ELU",
    "GELU",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "ClipByNorm",
    "Conv2d",
    "Dense",
    "Dropout",
    "Embedding",
    "EmbeddingLookup",
    "Flatten",
    "HSigmoid",
    "HSwish",
    "Identity",
    "LayerNorm",
    "LogSigmoid",
    "LogSoftmax",
    "MaxPool2d",
    "Mish",
    "MultiFieldEmbeddingLookup",
    "PReLU",
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
