"""The one context object: options, the parallel mode, the active trace, the world of ranks.

Everything that a program sets once and simpar reads in several places lives in one ``Context``. It stands in a context
variable, so each thread that plays a rank has its own; ``entered`` puts one in place for a ``with`` block.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from simpar.context.fusion import default_comm_fusion
from simpar.errors import DatasetError

__all__ = [
    "AUTO_PARALLEL",
    "DATA_PARALLEL",
    "GRAPH_MODE",
    "HYBRID_PARALLEL",
    "PYNATIVE_MODE",
    "SEMI_AUTO_PARALLEL",
    "SHARDING_PROPAGATION",
    "STAND_ALONE",
    "Context",
    "OptionsWanted",
    "ParallelOptions",
    "close_queue",
    "compiler",
    "current",
    "entered",
    "next_row",
    "open_queue",
    "register_runner",
    "runner",
]

GRAPH_MODE = 0
PYNATIVE_MODE = 1

STAND_ALONE = "stand_alone"
DATA_PARALLEL = "data_parallel"
HYBRID_PARALLEL = "hybrid_parallel"
SEMI_AUTO_PARALLEL = "semi_auto_parallel"
AUTO_PARALLEL = "auto_parallel"
SHARDING_PROPAGATION = "sharding_propagation"


@dataclass(frozen=True, slots=True)
class ParallelOptions:
    """What ``set_auto_parallel_context`` sets, under MindSpore's names and with its defaults.

    ``device_num`` and ``global_rank`` are None until they are set; the world of ranks then decides.
    """

    parallel_mode: str = STAND_ALONE
    device_num: int | None = None
    global_rank: int | None = None
    gradients_mean: bool = False
    gradient_fp32_sync: bool = True
    force_fp32_communication: bool = False
    parameter_broadcast: bool = False
    full_batch: bool = False
    dataset_strategy: str | tuple[Any, ...] = "data_parallel"  # of each input the cuts, or a layout
    enable_parallel_optimizer: bool = False
    parallel_optimizer_threshold: int = 64  # KB
    optimizer_weight_shard_size: int = -1  # ranks; -1 for all
    gradient_accumulation_shard: bool = False
    optimizer_level: str = "level1"
    comm_fusion: dict[str, Any] = field(default_factory=default_comm_fusion)
    all_reduce_fusion_config: tuple[int, ...] = ()
    pipeline_stages: int = 1
    pipeline_segments: int = 1
    pipeline_interleave: bool = False
    pipeline_scheduler: str = "1f1b"
    pipeline_result_broadcast: bool = False
    search_mode: str = "recursive_programming"
    loss_repeated_mean: bool = True
    strategy_ckpt_load_file: str = ""
    strategy_ckpt_save_file: str = ""
    strategy_ckpt_only_trainable_params: bool = True
    operator_load_file: str = ""
    operator_save_file: str = ""
    group_ckpt_save_file: str = ""


@dataclass(slots=True)
class Context:
    """The state of one rank's program.

    ``trace`` is the graph being recorded (a ``graph.Trace``), ``world`` the ranks (a ``collectives.World``),
    ``recorder`` what keeps events (a ``recorder.Recorder``); they stand on higher floors, so their types are open here.
    """

    mode: int = GRAPH_MODE
    parallel: ParallelOptions = field(default_factory=ParallelOptions)
    seed: int | None = None
    trace: Any = None
    world: Any = None
    recorder: Any = None
    planner: Any = None
    """Set by ``simpar plan``: receives each plan instead of running it; no world is needed then. It says for how many
    devices and for which rank."""
    mindspore: bool = False
    """Whether scripts run under MindSpore's own names (``simpar.mindspore.install``), and its restrictions hold."""
    ps: dict[str, Any] = field(default_factory=dict[str, Any])
    """What ``set_ps_context`` set; ask ``get_ps_context``, which knows the defaults."""
    others: dict[str, Any] = field(default_factory=dict[str, Any])
    """Options that MindSpore documents and that change nothing here, kept so that they read back."""
    counters: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def device_num(self) -> int:
        """How many devices the program is compiled for: the planner's, else the option, else the ranks of the world."""
        if self.planner is not None:
            return self.planner.device_num
        if self.parallel.device_num is not None:
            return self.parallel.device_num
        return 1 if self.world is None else self.world.size

    @property
    def rank(self) -> int:
        """The rank this program plays: the planner's, else the option, else the rank in the world, else 0."""
        if self.planner is not None:
            return self.planner.rank
        if self.parallel.global_rank is not None:
            return self.parallel.global_rank
        return 0 if self.world is None else self.world.rank

    @property
    def is_partitioned(self) -> bool:
        """Whether the mode cuts one program over the ranks (semi_auto_parallel, auto_parallel)."""
        return self.parallel.parallel_mode in (SEMI_AUTO_PARALLEL, AUTO_PARALLEL)

    def count(self, what: str) -> int:
        """Return how often ``count(what)`` was called before, and count this call."""
        seen = self.counters.get(what, 0)
        self.counters[what] = seen + 1
        return seen


class OptionsWanted(BaseException):
    """Ends the trace of a function in which a part asks for other parallel options; the whole is traced under them.

    Args:
        asking: returns the options, each time it is asked.
    """

    def __init__(self, asking: Callable[[], ParallelOptions]) -> None:
        super().__init__("a part of the function has parallel options of its own")
        self.asking = asking


_CONTEXT: ContextVar[Context | None] = ContextVar("simpar_context", default=None)
_PROGRAM = Context()  # what every thread without a context of its own shares


def current() -> Context:
    """Return the context of this thread's program."""
    return _CONTEXT.get() or _PROGRAM


@contextmanager
def entered(new: Context) -> Generator[Context]:
    """Put ``new`` in place for a ``with`` block; threads that play ranks each enter their own."""
    token = _CONTEXT.set(new)
    try:
        yield new
    finally:
        _CONTEXT.reset(token)


Runner = Callable[..., Any]
_RUNNERS: dict[str, Runner] = {}


def register_runner(runner: Runner, compiler: Runner | None = None) -> None:
    """Let ``compile`` say how graph mode runs a function; ``nn`` and ``jit`` stand below it and ask ``runner``.

    Args:
        runner: runs a function: ``runner(function, arguments, owner, arguments by keyword)``.
        compiler: takes the same and compiles it only.
    """
    _RUNNERS["graph"] = runner
    if compiler is not None:
        _RUNNERS["compile"] = compiler


def runner() -> Runner | None:
    """Return what runs a function in graph mode, or None while only lower rooms are imported."""
    return _RUNNERS.get("graph")


def compiler() -> Runner | None:
    """Return what compiles a function without running it, or None while only lower rooms are imported."""
    return _RUNNERS.get("compile")


# --- queues: rows that a dataset leaves under a name, for programs that take their inputs themselves ---

_QUEUES = "queues"


def open_queue(name: str, rows: Iterator[Sequence[Any]]) -> None:
    """Let a queue have these rows; one of its name that was there is gone."""
    current().others.setdefault(_QUEUES, {})[name] = rows


def close_queue(name: str) -> None:
    """Forget a queue."""
    current().others.get(_QUEUES, {}).pop(name, None)


def next_row(name: str) -> Sequence[Any]:
    """Return the next row of a queue, a Tensor for each column.

    Raises:
        DatasetError: there is no such queue, or it has no row left.
    """
    queues: dict[str, Iterator[Sequence[Any]]] = current().others.get(_QUEUES, {})
    if name not in queues:
        known = f"those that are: {', '.join(map(repr, queues))}" if queues else "none is open"
        raise DatasetError(
            f"GetNext takes rows from queue {name!r}, which no dataset fills ({known}). Fill it with "
            f"dataset.device_que(queue_name={name!r}).send(), or let connect_network_with_dataset do so."
        )
    row = next(queues[name], None)
    if row is None:
        raise DatasetError(f"queue {name!r} has no row left. Send the dataset again, or for more epochs.")
    return row
