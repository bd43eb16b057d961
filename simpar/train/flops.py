"""``FlopsUtilizationCollector``: how many of the floating-point operations that ranks could do a training does.

Counted are, as MindSpore does, products, convolutions and attention, forward and backward; a multiplication and an
addition are two operations. *Model* operations are those of the network, *hardware* operations also what the backward
pass computes again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from time import perf_counter
from typing import Any, Final, cast

from simpar.context import current
from simpar.errors import ContextError, DTypeError, ModeError
from simpar.nn import Cell
from simpar.partition import Instruction, Plan, PlannedValue
from simpar.train.callbacks import Callback, RunContext

__all__ = ["Flops", "FlopsUtilizationCollector", "flops_of"]

Shape = tuple[int, ...]
_AXIS: Final = {"BSH": 1, "SBH": 0, "BNSD": 2, "BSND": 1}
"""Where the places of a sequence are, by the layout of an attention's operands."""


@dataclass(frozen=True, slots=True)
class Flops:
    """Floating-point operations of one step: of all ranks together as on one device, and of this rank.

    >>> Flops(6, 8, 3, 4) + Flops(1, 1, 1, 1)
    Flops(full_model=7, full_hardware=9, shard_model=4, shard_hardware=5)
    """

    full_model: int = 0
    full_hardware: int = 0
    shard_model: int = 0
    shard_hardware: int = 0

    def __add__(self, other: "Flops") -> "Flops":
        """Return both together."""
        return Flops(
            self.full_model + other.full_model,
            self.full_hardware + other.full_hardware,
            self.shard_model + other.shard_model,
            self.shard_hardware + other.shard_hardware,
        )


def flops_of(plan: Plan) -> Flops:
    """Return the operations of a plan; of a pipeline, those of this rank's stage."""
    return sum((_of(i, plan) for i in plan.instructions if i.op in _COUNTS), Flops())


def _of(instruction: Instruction, plan: Plan) -> Flops:
    inputs = [plan.values[v] for v in instruction.inputs]
    outputs = [plan.values[v] for v in instruction.outputs]

    def counted(shape_of: Callable[[PlannedValue], Shape]) -> int:
        shapes = [*map(shape_of, inputs)], [*map(shape_of, outputs)]
        return _COUNTS[instruction.op](*shapes, instruction.attrs)

    full, shard = counted(lambda v: v.shape), counted(lambda v: v.slice_shape)
    if instruction.op == "flash_attention_grad":  # it computes its forward pass again
        return Flops(full, full * 3 // 2, shard, shard * 3 // 2)
    return Flops(0, full, 0, shard) if instruction.is_again else Flops(full, full, shard, shard)


def _matmul(inputs: Sequence[Shape], outputs: Sequence[Shape], attrs: Any) -> int:
    rows, columns = ((1, *inputs[0]))[-2:]
    is_turned = attrs.get("transpose_a") and len(inputs[0]) > 1
    return 2 * prod(outputs[0]) * (rows if is_turned else columns)


def _matmul_tn(inputs: Sequence[Shape], outputs: Sequence[Shape], attrs: Any) -> int:
    *_, columns = inputs[1]
    return 2 * prod(inputs[0]) * columns


def _convolution(inputs: Sequence[Shape], outputs: Sequence[Shape], attrs: Any) -> int:
    return 2 * prod(outputs[0]) * prod(inputs[1][1:])


def _grad_input(inputs: Sequence[Shape], outputs: Sequence[Shape], attrs: Any) -> int:
    return 2 * prod(inputs[0]) * prod(inputs[1][1:])


def _grad_weight(inputs: Sequence[Shape], outputs: Sequence[Shape], attrs: Any) -> int:
    return 2 * prod(inputs[0]) * prod(outputs[0][1:])


def _attention(inputs: Sequence[Shape], outputs: Sequence[Shape], attrs: Any) -> int:
    return 4 * prod(inputs[0]) * inputs[1][_AXIS[attrs["layout"]]]


def _attention_grad(inputs: Sequence[Shape], outputs: Sequence[Shape], attrs: Any) -> int:
    return 2 * _attention(inputs[1:], outputs, attrs)


_COUNTS: Final[dict[str, Callable[[Sequence[Shape], Sequence[Shape], Any], int]]] = {
    "matmul": _matmul,
    "matmul_tn": _matmul_tn,
    "conv2d": _convolution,
    "conv2d_grad_input": _grad_input,
    "conv2d_grad_weight": _grad_weight,
    "conv3d": _convolution,
    "conv3d_grad_input": _grad_input,
    "conv3d_grad_weight": _grad_weight,
    "flash_attention": _attention,
    "flash_attention_grad": _attention_grad,
}


class FlopsUtilizationCollector(Callback):
    """Prints the operations of a step, and after so many steps what part of the peak that is.

    Args:
        data_size: after how many steps it prints the time of one.
        computility: operations that a rank can do in a second.
        full_flops: whether the parts are those of all ranks' operations and peaks, else of this rank's.
        enable_ma_collector: taken; there is no cloud service to tell.

    Raises:
        DTypeError: ``full_flops`` or ``enable_ma_collector`` is no bool, or ``data_size`` no whole number.
        ContextError: ``data_size`` or ``computility`` is not above 0.
    """

    def __init__(
        self, data_size: int, computility: float = 1, full_flops: bool = True, enable_ma_collector: bool = False
    ) -> None:
        for name, given in (("full_flops", full_flops), ("enable_ma_collector", enable_ma_collector)):
            if not isinstance(given, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DTypeError(f"{name} is {given!r}, a {type(given).__name__}; give True or False.")
        if isinstance(data_size, bool) or not isinstance(data_size, int):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"data_size is {data_size!r}, a {type(data_size).__name__}; give a whole number above 0.")
        if data_size < 1 or computility <= 0:
            raise ContextError(f"data_size is {data_size} and computility {computility}; give numbers above 0.")
        self._every, self._peak, self._is_full = data_size, computility, full_flops
        self._start, self._steps = 0.0, 0
        self.flops: Flops | None = None
        """Of a step, once the first is done."""

    def step_begin(self, run_context: RunContext) -> None:
        """Look at the clock, at the first step of those that are measured together."""
        if self._steps == 0:
            self._start = perf_counter()

    def step_end(self, run_context: RunContext) -> None:
        """Print the operations after the first step, and the utilization after every ``data_size`` steps.

        Raises:
            ModeError: the network ran op by op, in ``PYNATIVE_MODE``.
        """
        state = run_context.original_args()
        if self.flops is None:
            self.flops = _of_all_stages(state.train_network if state.mode == "train" else state.eval_network)
            f = self.flops
            print(
                f"Full model flops is {f.full_model}, Full hardware flops is {f.full_hardware}, "
                f"Shard model flops is {f.shard_model}, Shard hardware flops is {f.shard_hardware}",
                flush=True,
            )
        self._steps += 1
        if self._steps == self._every:
            self._tell((perf_counter() - self._start) / self._steps, state.mode)
            self._steps = 0

    def _tell(self, seconds: float, mode: str) -> None:
        assert self.flops is not None, "a step is done"
        f, ranks = self.flops, current().device_num
        model, hardware = (f.full_model, f.full_hardware) if self._is_full else (f.shard_model, f.shard_hardware)
        peak = self._peak * seconds * (ranks if self._is_full else 1)
        what = "Train" if mode == "train" else "Eval"
        print(
            f"{what} per step time: {seconds * 1e3:.3f} ms, mfu:{model / peak:.2%} hfu:{hardware / peak:.2%}",
            flush=True,
        )


def _of_all_stages(network: Cell) -> Flops:
    """Return the operations of a step; the full ones of all stages of a pipeline."""
    held: list[Cell] = [network, *network.cells()]
    plan = next((vars(cell)["_simpar_plan"] for cell in held if "_simpar_plan" in vars(cell)), None)
    if not isinstance(plan, Plan):
        raise ModeError(
            "FlopsUtilizationCollector counts the operations of a program, but the network runs op by op. "
            "Call set_context(mode=GRAPH_MODE)."
        )
    own, world = flops_of(plan), current().world
    if plan.stages == 1 or world is None:
        return own
    stages = dict(cast("list[tuple[int, Flops]]", world.communicator.gather_objects((plan.stage, own))))
    full = sum(stages.values(), Flops())
    return Flops(full.full_model, full.full_hardware, own.shard_model, own.shard_hardware)
