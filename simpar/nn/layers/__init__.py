"""The layers: Cells with Parameters of their own, and activations as Cells.

``basic`` (Dense, Embedding, Flatten, Dropout, Identity, ClipByNorm), ``activation``, ``rectifiers``,
``normalization`` with ``normalization_more``, ``convolution``, ``pooling``, ``embedding`` (tables of features).
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
from simpar.nn.layers.convolution import Conv1d, Conv1dTranspose, Conv2d, Conv2dTranspose, Conv3d, Conv3dTranspose
from simpar.nn.layers.embedding import EmbeddingLookup, MultiFieldEmbeddingLookup
from simpar.nn.layers.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d, LayerNorm
from simpar.nn.layers.normalization_more import (
    GroupNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    SyncBatchNorm,
)
from simpar.nn.layers.pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
)
from simpar.nn.layers.rectifiers import ELU, HSigmoid, HSwish, LeakyReLU, LogSigmoid, Mish, PReLU, ReLU6, SeLU, Softsign

__all__ = [
    "ELU",
    "GELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "ClipByNorm",
    "Conv1d",
    "Conv1dTranspose",
    "Conv2d",
    "Conv2dTranspose",
    "Conv3d",
    "Conv3dTranspose",
    "Dense",
    "Dropout",
    "Embedding",
    "EmbeddingLookup",
    "Flatten",
    "GroupNorm",
    "HSigmoid",
    "HSwish",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
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
    "SyncBatchNorm",
    "Tanh",
    "get_activation",
]
