"""Schedules: in which order each stage does the forward and the backward of each micro-batch.

A *task* is what one stage does for one micro-batch in one direction. The schedule is found by playing the stages
against a clock, a forward taking one unit of time and a backward two; at every moment a free stage takes

- GPipe: the next forward; when all are done, backwards, the last micro-batch first;
- 1F1B: the next backward if what it needs is there, else the next forward, unless more micro-batches are under way than
  the stage needs to stay busy: stage s of S keeps at most S - s.

With *interleaving* a stage has several chunks of the network; forwards go through chunks in groups of S micro-batches.

Sources: GPipe (Huang et al., 2019), PipeDream's 1F1B (Narayanan et al., 2019), Megatron's interleaving (Narayanan et
al., 2021).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["GPIPE", "ONE_FORWARD_ONE_BACKWARD", "PipelineOptions", "Task", "bubble_fraction", "schedule"]

GPIPE = "gpipe"
ONE_FORWARD_ONE_BACKWARD = "1f1b"
FORWARD_TIME, BACKWARD_TIME = 1, 2


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """What the context says of pipelines.

    Args:
        stages: how many there are.
        scheduler: ``"1f1b"`` or ``"gpipe"``.
        interleave: whether a stage may have several chunks of the network.
        strict: whether programs are refused that MindSpore's compiler refuses.
    """

    stages: int = 1
    scheduler: str = ONE_FORWARD_ONE_BACKWARD
    interleave: bool = False
    strict: bool = False

    @property
    def last_first(self) -> bool:
        """Whether backwards begin with the last micro-batch."""
        return self.stages > 1 and self.scheduler == GPIPE


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """What a stage does for one micro-batch in one direction.

    Args:
        stage: which stage.
        micro: which micro-batch.
        chunk: which of the stage's chunks of the network, 0 if it has one.
        is_backward: the direction.
    """

    stage: int
    micro: int
    chunk: int = 0
    is_backward: bool = False

    @property
    def time(self) -> int:
        """How long it is taken to last, in units of a forward."""
        return BACKWARD_TIME if self.is_backward else FORWARD_TIME


def bubble_fraction(stages: int, micros: int, chunks: int = 1) -> float:
    """Return the part of a step in which a stage waits, if all tasks of a direction take as long and messages no time.

    >>> bubble_fraction(stages=2, micros=4)
    0.2
    """
    return (stages - 1) / (micros * chunks + stages - 1)


def schedule(needs: Mapping[Task, Sequence[Task]], options: PipelineOptions) -> list[Task]:
    """Return all tasks in the order in which they begin.

    Args:
        needs: for each task those that must be done before.
        options: the scheduler.

    >>> tasks = {Task(0, m): () for m in range(3)} | {Task(0, m, 0, True): (Task(0, m),) for m in range(3)}
    >>> [("B" if t.is_backward else "F") + str(t.micro) for t in schedule(tasks, PipelineOptions())]
    ['F0', 'B0', 'F1', 'B1', 'F2', 'B2']
    """
    by_stage: dict[int, list[Task]] = {}
    for task in needs:
        by_stage.setdefault(task.stage, []).append(task)
    stages = {s: _Stage(s, tasks, options) for s, tasks in sorted(by_stage.items())}
    return _Clock(needs, stages).run()


@dataclass(slots=True)
class _Stage:
    """What one stage has still to do."""

    number: int
    tasks: list[Task]
    options: PipelineOptions
    forwards: list[Task] = field(default_factory=list[Task])
    backwards: list[Task] = field(default_factory=list[Task])
    free_at: int = 0
    under_way: int = 0
    limit: int = 0

    def __post_init__(self) -> None:
        group = self.options.stages
        chunks = 1 + max(t.chunk for t in self.tasks)
        sign = -1 if self.options.last_first else 1

        def place(task: Task) -> tuple[int, int, int]:
            chunk = chunks - 1 - task.chunk if task.is_backward else task.chunk
            micro = sign * task.micro if task.is_backward else task.micro
            return (micro // group if chunks > 1 else 0, chunk, micro)

        self.forwards = sorted((t for t in self.tasks if not t.is_backward), key=place)
        self.backwards = sorted((t for t in self.tasks if t.is_backward), key=place)
        self.limit = self._most_under_way(chunks)

    def _most_under_way(self, chunks: int) -> int:
        after = self.options.stages - 1 - max(self.number, 0)
        if not self.backwards or self.options.last_first:
            return len(self.forwards)
        return 1 + after if chunks == 1 else 1 + 2 * after + (chunks - 1) * self.options.stages

    def choices(self, is_stuck: bool) -> list[Task]:
        """Return what the stage may do next, the most wanted first."""
        backward, forward = self.backwards[:1], self.forwards[:1]
        if self.options.last_first:
            return forward or backward
        return backward + (forward if is_stuck or self.under_way < self.limit else [])

    def begin(self, task: Task, now: int) -> None:
        """Do a task from ``now`` on."""
        (self.backwards if task.is_backward else self.forwards).remove(task)
        self.under_way += -1 if task.is_backward else 1
        self.free_at = now + task.time


class _Clock:
    """Plays the stages against a clock."""

    def __init__(self, needs: Mapping[Task, Sequence[Task]], stages: Mapping[int, _Stage]) -> None:
        self.needs, self.stages = needs, stages
        self.done_at: dict[Task, int] = {}
        self.begun: list[Task] = []

    def run(self) -> list[Task]:
        now, is_stuck = 0, False
        while len(self.begun) < len(self.needs):
            began = [self._begin(stage, now, is_stuck) for stage in self.stages.values()]
            if any(began):
                is_stuck = False
                continue
            later = [t for t in self.done_at.values() if t > now]
            assert later or not is_stuck, "the graph has no cycle, so that some task can always begin"
            now, is_stuck = (min(later), False) if later else (now, True)
        return self.begun

    def _begin(self, stage: _Stage, now: int, is_stuck: bool) -> bool:
        """Let a stage that is free begin what it wants most of what can be done; return whether it did."""
        if stage.free_at > now:
            return False
        for task in stage.choices(is_stuck):
            if all(self.done_at.get(t, now + 1) <= now for t in self.needs[task]):
                stage.begin(task, now)
                self.done_at[task] = stage.free_at
                self.begun.append(task)
                return True
        return False
