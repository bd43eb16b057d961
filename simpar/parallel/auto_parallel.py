"""``AutoParallel``: parallel options for one network or function, in place of those of the whole program."""

import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from simpar import nn
from simpar.compile import compile_function, jit
from simpar.context import (
    Context,
    OptionsWanted,
    ParallelOptions,
    current,
    entered,
    set_auto_parallel_context,
)
from simpar.errors import ContextError, ContextKeyError, DTypeError

__all__ = ["AutoParallel", "set_op_strategy_config"]

_MODES = {
    "semi_auto": {"parallel_mode": "semi_auto_parallel"},
    "sharding_propagation": {"parallel_mode": "auto_parallel", "search_mode": "sharding_propagation"},
    "recursive_programming": {"parallel_mode": "auto_parallel", "search_mode": "recursive_programming"},
}


class AutoParallel(nn.Cell):
    """Runs a network or a function under parallel options of its own.

    A larger function that calls it is compiled under these options as a whole. What ``set_auto_parallel_context`` set
    does not count inside, and is as before outside.

    Args:
        network: a Cell, or a function, which becomes one program as with ``jit``.
        parallel_mode: ``"semi_auto"``, ``"sharding_propagation"`` or ``"recursive_programming"``.

    Raises:
        ContextError: there is no such mode.

    >>> from simpar import Tensor
    >>> doubled = AutoParallel(nn.SequentialCell(nn.ReLU()))
    >>> doubled.dataset_strategy("full_batch")
    >>> doubled(Tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, network: nn.Cell | Callable[..., Any], parallel_mode: str = "semi_auto") -> None:
        super().__init__(auto_prefix=False)
        if parallel_mode not in _MODES:
            raise ContextError(f"parallel_mode is {parallel_mode!r}; choose one of {', '.join(_MODES)}.")
        self.network = network
        self._function = None if isinstance(network, nn.Cell) else jit(network)
        self._options = ParallelOptions()
        self._set(**_MODES[parallel_mode])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the network under its options; so is all of a larger function that calls it."""
        context = current()
        if context.trace is not None:
            if context.parallel is not self._wanted():
                raise OptionsWanted(self._wanted)
            return self.network(*args, **kwargs)
        with self._entered():
            return (self._function or self.network)(*args, **kwargs)

    def compile(self, *args: Any) -> None:
        """Compile the network, or the function, under its options, without running it."""
        with self._entered():
            if isinstance(self.network, nn.Cell):
                self.network.compile(*args)
            else:
                compile_function(self.network, args, self.network)

    # --- options ---

    def dataset_strategy(self, config: str | tuple[Any, ...]) -> None:
        """Say how inputs arrive: ``"data_parallel"``, ``"full_batch"``, or of each input the cuts or a ``Layout``."""
        self._set(dataset_strategy=config)

    def hsdp(self, shard_size: int = -1, threshold: int = 64, optimizer_level: str = "level1") -> None:
        """Store Parameters cut once more over the ranks that hold the same: the parallel optimizer.

        Args:
            shard_size: over how many ranks at most; -1 for all.
            threshold: KB; smaller Parameters stay as they are.
            optimizer_level: what is cut: Parameters and states at ``"level1"``, gradients that add up over
                micro-batches at ``"level2"``; at ``"level3"`` Parameters are gathered again for the backward pass, too.
        """
        config = {
            "optimizer_weight_shard_size": shard_size,
            "parallel_optimizer_threshold": threshold,
            "optimizer_level": optimizer_level,
        }
        self._set(enable_parallel_optimizer=True, parallel_optimizer_config=config)

    def comm_fusion(self, config: dict[str, Any]) -> None:
        """Say how collectives are fused, as ``set_auto_parallel_context(comm_fusion=...)`` does."""
        self._set(comm_fusion=config)

    def pipeline(
        self, stages: int = 1, output_broadcast: bool = False, interleave: bool = False, scheduler: str = "1f1b"
    ) -> None:
        """Split the ranks into the stages of a pipeline.

        Args:
            stages: how many; each has as many ranks.
            output_broadcast: taken as MindSpore does; every stage gets the results here.
            interleave: whether a stage may have several parts of the network.
            scheduler: ``"1f1b"`` or ``"gpipe"``.
        """
        config = {"pipeline_interleave": interleave, "pipeline_scheduler": scheduler}
        self._set(pipeline_stages=stages, pipeline_result_broadcast=output_broadcast, pipeline_config=config)

    def enable_gradients_mean(self) -> None:
        """Divide gradients by the number of ranks that they are summed over."""
        self._set(gradients_mean=True)

    def disable_gradient_fp32_sync(self) -> None:
        """Sum gradients of 16 bits over ranks in their own type, not as float32."""
        self._set(gradient_fp32_sync=False)

    def disable_loss_repeated_mean(self) -> None:
        """Take as MindSpore does; values are those of one device either way."""
        self._set(loss_repeated_mean=False)

    def enable_fp32_communication(self) -> None:
        """Do all sums of 16-bit values over ranks in float32."""
        self._set(force_fp32_communication=True)

    def get_pipeline_stages(self) -> int:
        """Return how many stages the pipeline has."""
        return self._options.pipeline_stages

    # --- files ---

    def save_param_strategy_file(self, file_path: str) -> None:
        """Write the strategies of ops with a Parameter, and the layouts of Parameters, when the network is compiled.

        Args:
            file_path: JSON if it ends in ``.json``, else protocol buffers.
        """
        self._set(strategy_ckpt_save_file=file_path)

    def load_param_strategy_file(self, file_path: str) -> None:
        """Take the strategies that ``save_param_strategy_file`` wrote, for the ops that the file names."""
        self._set(strategy_ckpt_load_file=file_path)

    def disable_strategy_file_only_for_trainable_params(self) -> None:
        """Let the parameter strategy file have Parameters that are not trained, too."""
        self._set(strategy_ckpt_config={"only_trainable_params": False})

    def save_operator_strategy_file(self, file_path: str) -> None:
        """Write the strategies of all ops when the network is compiled.

        Raises:
            DTypeError: the path is no text.
            ContextKeyError: it is not absolute, or does not end in ``.json``.
        """
        self._options = replace(self._options, operator_save_file=_json_path(file_path))

    def load_operator_strategy_file(self, file_path: str) -> None:
        """Take the strategies that ``save_operator_strategy_file`` wrote; errors as there."""
        self._options = replace(self._options, operator_load_file=_json_path(file_path))

    def set_group_ckpt_save_file(self, file_path: str) -> None:
        """Write which ranks hold the same slices as this one, for ``restore_group_info_list``, when it is compiled."""
        self._set(group_ckpt_save_file=file_path)

    # --- what has no meaning here ---

    def no_init_parameters_in_compile(self) -> None:
        """Take as MindSpore does; compiling never fills Parameters."""

    def print_local_norm(self) -> None:
        """Take as MindSpore does, with a note: a recorded run shows the values of gradients."""
        _note("print_local_norm", "record the run (`simpar run`) to see the values of gradients")

    def dump_local_norm(self, file_path: str) -> None:
        """Take as MindSpore does, with a note.

        Raises:
            DTypeError: the path is no text.
        """
        _text(file_path)
        _note("dump_local_norm", "record the run (`simpar run`) to see the values of gradients")

    def enable_device_local_norm(self) -> None:
        """Take as MindSpore does, with a note."""
        _note("enable_device_local_norm", "record the run (`simpar run`) to see the values of gradients")

    def transformer_opt(self, file_path: str | None) -> None:
        """Take as MindSpore does, with a note: the file is of overlaps and fusions on Ascend.

        Raises:
            DTypeError: the path is neither text nor None.
        """
        if file_path:
            _text(file_path)
            _note("transformer_opt", "its settings are of Ascend's overlaps and fusions")

    def _set(self, **options: Any) -> None:
        """Check options as ``set_auto_parallel_context`` does and keep them."""
        with entered(Context(parallel=self._options)) as context:
            set_auto_parallel_context(**options)
            self._options = context.parallel

    def _wanted(self) -> ParallelOptions:
        """Return the options, for the devices that the program has."""
        program = current().parallel
        if self._options.device_num != program.device_num or self._options.global_rank != program.global_rank:
            self._options = replace(self._options, device_num=program.device_num, global_rank=program.global_rank)
        return self._options

    @contextmanager
    def _entered(self) -> Generator[None]:
        """Put the options in place of the program's; the same value each time, so that programs are found again."""
        context = current()
        before, context.parallel = context.parallel, self._wanted()
        try:
            yield
        finally:
            context.parallel = before


def set_op_strategy_config(mode: str = "SAVE", path: str = "") -> None:
    """Write the strategies of all ops of the program, or take those that were written.

    Args:
        mode: ``"SAVE"`` or ``"LOAD"``.
        path: as of ``AutoParallel.save_operator_strategy_file``, which does the same for one network.

    Raises:
        DTypeError: the path is no text.
        ContextKeyError: it is not absolute, or does not end in ``.json``; or there is no such mode.

    >>> set_op_strategy_config("LOAD", str(Path("strategy.json").absolute()))
    >>> Path(current().parallel.operator_load_file).name
    'strategy.json'
    """
    context, checked = current(), _json_path(path)
    if mode == "SAVE":
        context.parallel = replace(context.parallel, operator_save_file=checked)
    elif mode == "LOAD":
        context.parallel = replace(context.parallel, operator_load_file=checked)
    else:
        raise ContextKeyError(f'mode is {mode!r}; give "SAVE" or "LOAD".')


def _text(file_path: object) -> str:
    if not isinstance(file_path, str):
        raise DTypeError(f"file_path is {file_path!r}, a {type(file_path).__name__}; give text.")
    return file_path


def _json_path(file_path: object) -> str:
    path = _text(file_path)
    if not Path(path).is_absolute() or not path.endswith(".json"):
        raise ContextKeyError(f"file_path is {path!r}; give an absolute path that ends in .json.")
    return path


def _note(what: str, why: str) -> None:
    warnings.warn(f"{what} changes nothing in simpar: {why}.", stacklevel=3)
