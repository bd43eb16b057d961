"""The table: which doors of simpar stand behind each module path of MindSpore.

A door is a module of simpar; the names in its ``__all__`` are offered. The first door that has a name gives it.
"""

from typing import Final

__all__ = ["DOORS"]

_OPERATIONS = ("simpar.ops.operations", "simpar.mindspore.operations")
_FUNCTIONS = ("simpar.ops.functional", "simpar.ops.composite", "simpar.mindspore.functions")
_COMPOSITE = ("simpar.ops.composite", "simpar.ops.functional", "simpar.mindspore.functions")
_OPS = ("simpar.ops", "simpar.ops.composite", "simpar.mindspore.functions", "simpar.mindspore.operations")
_NN = ("simpar.nn", "simpar.common.language", "simpar.mindspore.wrappers")
_COMMON = ("simpar.common", "simpar.compile", "simpar.mindspore.types")
_PARALLEL = ("simpar.parallel", "simpar.mindspore.options", "simpar.checkpoint")
_COMMUNICATION = ("simpar.communication", "simpar.mindspore.options")
_CONTEXT = ("simpar.mindspore.options", "simpar.context")

_PRIVATE = ("simpar.mindspore.executor", "simpar.mindspore.options", "simpar.mindspore.types")

_GROUPS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("", "mindspore", ("simpar", "simpar.common", "simpar.parallel", "simpar.checkpoint", *_PRIVATE)),
    ("mindspore.", "context", _CONTEXT),
    ("mindspore.", "dtype common.dtype", ("simpar.dtype", "simpar.mindspore.types")),
    ("mindspore.", "common common.tensor common.parameter common.mutable common.lazy_inline", _COMMON),
    ("mindspore.common.", "seed", (*_COMMON, "simpar.mindspore.utils")),
    ("mindspore.common.", "jit_config jit_context no_inline recompute symbol hook_handle", _COMMON),
    ("mindspore.common.", "initializer", ("simpar.common.initializer", "simpar.mindspore.utils")),
    ("mindspore.common.", "api", ("simpar.mindspore.executor", *_COMMON)),
    ("mindspore.", "graph graph.api", ("simpar.mindspore.executor", *_COMMON)),
    ("mindspore.", "ops", _OPS),
    ("mindspore.ops.", "operations", _OPERATIONS),
    ("mindspore.ops.", "primitive", (*_OPERATIONS, "simpar.ops", "simpar.ops.composite")),
    (
        "mindspore.ops.operations.",
        "array_ops comm_ops control_ops custom_ops debug_ops image_ops inner_ops linalg_ops manually_defined math_ops "
        "nn_ops other_ops random_ops reshard_ops sparse_ops spectral_ops _inner_ops _infer_ops _grad_ops _scalar_ops "
        "_sequence_ops _quant_ops",
        _OPERATIONS,
    ),
    ("mindspore.ops.", "auto_generate auto_generate.gen_ops_prim", (*_OPERATIONS, *_FUNCTIONS)),
    ("mindspore.ops.", "auto_generate.gen_ops_def auto_generate.gen_extend_func", (*_FUNCTIONS, *_OPERATIONS)),
    ("mindspore.ops.", "functional function functional_overload _primitive_cache", _FUNCTIONS),
    (
        "mindspore.ops.function.",
        "array_func clip_func debug_func fft_func grad grad.grad_func image_func linalg_func math_func "
        "nn_func other_func parameter_func random_func reshard_func",
        _FUNCTIONS,
    ),
    ("mindspore.ops.", "composite composite.base composite.math_ops composite.multitype_ops", _COMPOSITE),
    (
        "mindspore.nn.",
        "cell layer layer.activation layer.basic layer.combined layer.container layer.conv layer.dense layer.embedding "
        "layer.image layer.math layer.normalization layer.padding layer.pooling layer.rnns layer.transformer loss "
        "loss.loss optim optim.ada_grad optim.adafactor optim.adam optim.adamax optim.ftrl optim.lamb optim.lars "
        "optim.lazyadam optim.momentum optim.optimizer optim.rmsprop optim.sgd wrap wrap.cell_wrapper "
        "wrap.grad_reducer wrap.loss_scale learning_rate_schedule dynamic_lr utils metrics grad grad.cell_grad",
        _NN,
    ),
    ("mindspore.", "nn", _NN),
    ("mindspore.", "mint", ("simpar.mint",)),
    ("mindspore.mint.", "nn nn.layer", ("simpar.mint.nn",)),
    ("mindspore.mint.", "nn.functional", ("simpar.mint.nn.functional",)),
    ("mindspore.", "parallel parallel.shard parallel.strategy", _PARALLEL),
    ("mindspore.parallel.", "auto_parallel", ("simpar.parallel.auto_parallel",)),
    ("mindspore.parallel.", "nn nn.parallel_cell_wrapper nn.parallel_grad_reducer", ("simpar.parallel.nn", *_NN)),
    ("mindspore.parallel.", "_cell_wrapper", (*_PARALLEL, *_NN)),
    ("mindspore.parallel.", "function function.reshard_func", ("simpar.ops.functional", *_PARALLEL)),
    (
        "mindspore.parallel.",
        "_auto_parallel_context _cost_model_context _utils _ps_context _tensor _parallel_serialization "
        "algo_parameter_config",
        ("simpar.mindspore.options", "simpar.mindspore.utils", "simpar.parallel"),
    ),
    ("mindspore.", "communication communication.management communication._comm_helper", _COMMUNICATION),
    ("mindspore.communication.", "comm_func", ("simpar.communication.comm_func",)),
    ("mindspore.ops.", "communication function.comm_func", ("simpar.communication.either",)),
    ("mindspore.mint.", "distributed distributed.distributed", ("simpar.mint.distributed",)),
    ("mindspore.", "dataset", ("simpar.dataset",)),
    ("mindspore.dataset.", "transforms transforms.transforms", ("simpar.dataset.transforms",)),
    ("mindspore.dataset.", "vision vision.transforms vision.utils", ("simpar.dataset.vision",)),
    ("mindspore.dataset.", "engine engine.datasets", ("simpar.dataset",)),
    ("mindspore.dataset.", "engine.iterators", ("simpar.mindspore.training",)),
    ("mindspore.dataset.", "config", ("simpar.dataset.config",)),
    ("mindspore.", "train train.model train.dataset_helper train.data_sink", ("simpar.train", "simpar.checkpoint")),
    ("mindspore.", "train.serialization parallel.checkpoint_transform", ("simpar.checkpoint",)),
    ("mindspore.train.", "amp", ("simpar.train.amp",)),
    (
        "mindspore.train.",
        "callback callback._callback callback._checkpoint",
        ("simpar.train", "simpar.mindspore.training"),
    ),
    ("mindspore.train.", "loss_scale_manager", ("simpar.train",)),
    ("mindspore.train.", "metrics", ("simpar.train.metrics",)),
    ("mindspore.", "amp", ("simpar.train.amp", "simpar.train")),
    ("mindspore.", "runtime", ("simpar.common.runtime",)),
    ("mindspore.", "log", ("simpar.mindspore.log",)),
    ("mindspore.", "_checkparam", ("simpar.mindspore.utils",)),
)


def _table() -> dict[str, tuple[str, ...]]:
    """Spread the groups: one entry per module path."""
    return {prefix + path: doors for prefix, paths, doors in _GROUPS for path in paths.split()}


DOORS: Final[dict[str, tuple[str, ...]]] = _table()
"""For each module path of MindSpore the modules of simpar that offer its names, first one first."""
