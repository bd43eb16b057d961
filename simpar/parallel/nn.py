"""MindSpore's ``mindspore.parallel.nn``: the Cells of pipelines and of gradient accumulation."""

from simpar.nn import GradAccumulationCell as GradAccumulation
from simpar.nn import MicroBatchInterleaved, PipelineGradReducer
from simpar.nn import PipelineCell as Pipeline

__all__ = ["GradAccumulation", "MicroBatchInterleaved", "Pipeline", "PipelineGradReducer"]
