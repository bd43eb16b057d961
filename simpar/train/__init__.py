"""Training over datasets: ``Model``, the callbacks it tells, the metrics it judges by, and scaled losses.

``Model`` adds no way to compute: it makes Cells of network, loss and optimizer (``amp.build_train_network``), calls
them row by row, and every call replays the program that ``compile`` made of the first. Ranks go through their datasets
in step; when a callback of one rank asks for the end, all end after the same step.

Read ``model`` first; ``callbacks``, ``checkpoints``, ``exits``, ``flops``, ``metrics``, ``rows``, ``loss_scale`` and
``amp`` are what it is made of; ``sink`` is for steps of one's own.
"""

from simpar.train import amp, callbacks, metrics
from simpar.train.amp import auto_mixed_precision, build_train_network
from simpar.train.callbacks import (
    Callback,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    LossMonitor,
    RunContext,
    TimeMonitor,
)
from simpar.train.checkpoints import CheckpointConfig, ModelCheckpoint
from simpar.train.exits import OnRequestExit
from simpar.train.flops import FlopsUtilizationCollector, flops_of
from simpar.train.loss_scale import DynamicLossScaleManager, FixedLossScaleManager, LossScaleManager
from simpar.train.metrics import (
    MAE,
    MSE,
    Accuracy,
    Loss,
    Metric,
    Perplexity,
    Top1CategoricalAccuracy,
    Top5CategoricalAccuracy,
    TopKCategoricalAccuracy,
    get_metric_fn,
    names,
)
from simpar.train.model import Model
from simpar.train.sink import DatasetHelper, connect_network_with_dataset, data_sink

__all__ = [
    "MAE",
    "MSE",
    "Accuracy",
    "Callback",
    "CheckpointConfig",
    "DatasetHelper",
    "DynamicLossScaleManager",
    "EarlyStopping",
    "FixedLossScaleManager",
    "FlopsUtilizationCollector",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "Loss",
    "LossMonitor",
    "LossScaleManager",
    "Metric",
    "Model",
    "ModelCheckpoint",
    "OnRequestExit",
    "Perplexity",
    "RunContext",
    "TimeMonitor",
    "Top1CategoricalAccuracy",
    "Top5CategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "amp",
    "auto_mixed_precision",
    "build_train_network",
    "callbacks",
    "connect_network_with_dataset",
    "data_sink",
    "flops_of",
    "get_metric_fn",
    "metrics",
    "names",
]
