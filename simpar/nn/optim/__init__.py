"""The optimizers: how Parameters follow their gradients, as Cells, so that an update is a part of the step's graph.

``optimizer`` (what they share: groups, learning rates, weight decay), ``schedules`` (learning rates that change),
``sgd``, ``momentum``, ``adam``.
"""

from simpar.nn.optim.adam import Adam, AdamWeightDecay
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
    "SGD",
    "Adam",
    "AdamWeightDecay",
    "CosineDecayLR",
    "ExponentialDecayLR",
    "InverseDecayLR",
    "LearningRateSchedule",
    "Momentum",
    "NaturalExpDecayLR",
    "Optimizer",
    "PolynomialDecayLR",
    "WarmUpLR",
]
