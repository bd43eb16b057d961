"""Networks: Cells, layers, losses, optimizers, and the Cells that train them.

A network is a tree of Cells, written for one device; only the reducer of gradients in ``wrap`` knows of ranks. A Cell
is called, and a runner traces and cuts it. Layers are made of ``ops`` objects, which are their attributes, so that a
user can give them strategies: ``dense.matmul.shard(...)``. An optimizer records the update of each Parameter in the
same program.

Read in this order: ``cell`` (Cell: attributes, names, calling) with ``cell_options`` and ``cell_sharding``,
``containers`` (SequentialCell, CellList), ``layers``, ``loss``, ``optim`` (``optimizer`` first), ``wrap`` (network and
loss, gradients, one step of training).
"""

from simpar.nn.cell import Cell
from simpar.nn.cell_sharding import shard_function
from simpar.nn.containers import CellList, SequentialCell
from simpar.nn.layers import (
    GELU,
    AvgPool2d,
    Conv2d,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Identity,
    LayerNorm,
    LogSoftmax,
    MaxPool2d,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    get_activation,
)
from simpar.nn.loss import CrossEntropyLoss, L1Loss, LossBase, MSELoss, SoftmaxCrossEntropyWithLogits
from simpar.nn.optim import (
    SGD,
    Adam,
    AdamWeightDecay,
    CosineDecayLR,
    ExponentialDecayLR,
    InverseDecayLR,
    LearningRateSchedule,
    Momentum,
    NaturalExpDecayLR,
    Optimizer,
    PolynomialDecayLR,
    WarmUpLR,
)
from simpar.nn.wrap import (
    DistributedGradReducer,
    ForwardValueAndGrad,
    TrainOneStepCell,
    WithEvalCell,
    WithGradCell,
    WithLossCell,
)

__all__ = [
    "GELU",
    "SGD",
    "Adam",
    "AdamWeightDecay",
    "AvgPool2d",
    "Cell",
    "CellList",
    "Conv2d",
    "CosineDecayLR",
    "CrossEntropyLoss",
    "Dense",
    "DistributedGradReducer",
    "Dropout",
    "Embedding",
    "ExponentialDecayLR",
    "Flatten",
    "ForwardValueAndGrad",
    "Identity",
    "InverseDecayLR",
    "L1Loss",
    "LayerNorm",
    "LearningRateSchedule",
    "LogSoftmax",
    "LossBase",
    "MSELoss",
    "MaxPool2d",
    "Momentum",
    "NaturalExpDecayLR",
    "Optimizer",
    "PolynomialDecayLR",
    "ReLU",
    "SequentialCell",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropyWithLogits",
    "Tanh",
    "TrainOneStepCell",
    "WarmUpLR",
    "WithEvalCell",
    "WithGradCell",
    "WithLossCell",
    "get_activation",
    "shard_function",
]
