"""The optimizers: how Parameters follow their gradients, as Cells, so that an update is a part of the step's graph.

``optimizer`` (what they share: groups, learning rates, weight decay), ``schedules`` (learning rates that change),
``sgd``, ``momentum``, ``adam``, ``adaptive`` (steps by the size of past gradients, element by element), ``layerwise``
(steps by what a weight is as a whole).
"""

from simpar.nn.optim.adam import Adam, AdamWeightDecay
from simpar.nn.optim.adaptive import (
    FTRL,
    Adadelta,
    Adagrad,
    AdaMax,
    AdamOffload,
    LazyAdam,
    ProximalAdagrad,
    RMSProp,
    Rprop,
)
from simpar.nn.optim.layerwise import LARS, AdaFactor, Lamb
from simpar.nn.optim.momentum import Momentum
from simpar.nn.optim.optimizer import Optimizer
from simpar.nn.optim.schedules import (
    CosineDecayLR,
    ExponentialDecayLR,
    InverseDecayLR,
    LearningRateSchedule,
    NaturalExpDecayLR,
    PolynomialDecayLR,
    WarmUpLR,
)
from simpar.nn.optim.sgd import SGD

__all__ = [
    "FTRL",
    "LARS",
    "SGD",
    "AdaFactor",
    "AdaMax",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamOffload",
    "AdamWeightDecay",
    "CosineDecayLR",
    "ExponentialDecayLR",
    "InverseDecayLR",
    "Lamb",
    "LazyAdam",
    "LearningRateSchedule",
    "Momentum",
    "NaturalExpDecayLR",
    "Optimizer",
    "PolynomialDecayLR",
    "ProximalAdagrad",
    "RMSProp",
    "Rprop",
    "WarmUpLR",
]
