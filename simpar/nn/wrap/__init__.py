"""The Cells that turn a network into training: network and loss, gradients, reduction of gradients, one step.

They name nothing: the Parameters below keep the names that the network gave them.

``cells`` (WithLossCell, WithEvalCell, WithGradCell, ForwardValueAndGrad, TrainOneStepCell, Jvp, Vjp), ``reducer``
(DistributedGradReducer), ``micro`` (PipelineCell, GradAccumulationCell, MicroBatchInterleaved), ``loss_scale`` (steps
with a scaled loss, and what changes the scale).
"""

from simpar.nn.wrap.cells import (
    ForwardValueAndGrad,
    Jvp,
    TrainOneStepCell,
    Vjp,
    WithEvalCell,
    WithGradCell,
    WithLossCell,
)
from simpar.nn.wrap.loss_scale import (
    DynamicLossScaleUpdateCell,
    FixedLossScaleUpdateCell,
    TrainOneStepWithLossScaleCell,
    all_finite,
    update_unless,
)
from simpar.nn.wrap.micro import (
    GradAccumulationCell,
    MicroBatch,
    MicroBatchInterleaved,
    PipelineCell,
    PipelineGradReducer,
    TrainAccumulatedStepCell,
    micro_batches,
)
from simpar.nn.wrap.reducer import DistributedGradReducer

__all__ = [
    "DistributedGradReducer",
    "DynamicLossScaleUpdateCell",
    "FixedLossScaleUpdateCell",
    "ForwardValueAndGrad",
    "GradAccumulationCell",
    "Jvp",
    "MicroBatch",
    "MicroBatchInterleaved",
    "PipelineCell",
    "PipelineGradReducer",
    "TrainAccumulatedStepCell",
    "TrainOneStepCell",
    "TrainOneStepWithLossScaleCell",
    "Vjp",
    "WithEvalCell",
    "WithGradCell",
    "WithLossCell",
    "all_finite",
    "micro_batches",
    "update_unless",
]
