"""MindSpore's ``mindspore.parallel``: layouts with names, cuts of whole functions, modes of one network.

``layout_face`` holds ``Layout``, MindSpore's way to write a ``simpar.layout.Layout``; ``auto_parallel`` holds
``AutoParallel``, which gives one network or function its own parallel options.
``search_settings`` holds MindSpore's settings of the search of strategies.
``full_tensor`` puts the slices of a value together, to look at.
"""

from collections.abc import Callable
from typing import Any

from simpar.execute import full_tensor
from simpar.nn import Cell, shard_function
from simpar.parallel import auto_parallel
from simpar.parallel.auto_parallel import set_op_strategy_config
from simpar.parallel.layout_face import Layout
from simpar.parallel.search_settings import get_algo_parameters, reset_algo_parameters, set_algo_parameters

__all__ = [
    "Layout",
    "auto_parallel",
    "full_tensor",
    "get_algo_parameters",
    "reset_algo_parameters",
    "set_algo_parameters",
    "set_op_strategy_config",
    "shard",
    "sync_pipeline_shared_parameters",
]

Strategy = tuple[Any, ...]


def sync_pipeline_shared_parameters(net: Cell) -> None:
    """Do nothing: a Parameter that stages of a pipeline share is sent by its first one in each step.

    Args:
        net: the network of a pipeline.
    """


def shard(
    fn: Cell | Callable[..., Any],
    in_strategy: Strategy,
    out_strategy: Strategy | None = None,
    parameter_plan: dict[str, Any] | None = None,
    device: str = "Ascend",
    level: int = 0,
) -> Callable[..., Any]:
    """Return ``fn`` with the layouts of its inputs and results laid down; what lies between follows by itself.

    Args:
        fn: a Cell, or a function of Tensors.
        in_strategy: for each input its cut, a ``Layout``, or None to leave it.
        out_strategy: the same for the results.
        parameter_plan: for Parameters of a Cell by name, the cut or the ``Layout`` in which they are stored.
        device, level: taken as MindSpore does; they change nothing.

    Raises:
        DTypeError: a strategy is no tuple.
        LayoutError: a layout of the plan does not fit its Parameter.
        StrategyError: there are more layouts than inputs or results, when it is called.

    >>> from simpar import Tensor
    >>> shard(lambda x: x * 2, ((1,),))(Tensor([1.0, 2.0])).tolist()
    [2.0, 4.0]
    """
    return shard_function(fn, in_strategy, out_strategy, parameter_plan)
