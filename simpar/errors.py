"""The errors that simpar raises for a user's mistake, as one tree.

SimparError
 ├── DTypeError            a value or an element type that cannot be used          (TypeError)
 ├── LayoutError           a layout, slice or shape that cannot be                 (ValueError)
 ├── MismatchError         what a checkpoint holds does not fit the network        (ValueError, TypeError, RuntimeError)
 ├── RuleError             the rule of an op does not fit its operands             (ValueError)
 │    └── AxisError             an op is asked for an axis that its operand lacks  (IndexError)
 ├── StrategyError         a strategy that an op cannot take                       (RuntimeError)
 ├── ParameterError        a setting that a Parameter or an initializer cannot have (ValueError)
 │    └── ParameterNameError    a name given twice, or not a name
 ├── ModeError             a call that the present mode does not allow             (RuntimeError)
 ├── ContextError          an option that does not exist or contradicts another    (ValueError)
 ├── ContextKeyError       a key that an option's dictionary lacks or does not know (KeyError)
 ├── CellAttributeError    an attribute that a Cell lacks or cannot take           (AttributeError, KeyError)
 ├── MissingNameError      a name of MindSpore that simpar does not have           (AttributeError)
 ├── MissingImportError    the same, in an import                                  (ImportError)
 ├── TraceError            a function that cannot become a graph                   (RuntimeError)
 │    └── ValueDependentError   its control flow depends on values
 ├── VerifyError           a pass broke a promise of the graph: a bug in simpar    (RuntimeError)
 ├── WorldError            ranks, devices and groups that do not fit together      (RuntimeError)
 │    ├── MpiMissingError       no MPI, or no mpi4py, is installed
 │    └── PlanMismatchError     ranks compiled different plans
 ├── LaunchError           `simpar run` could not start or finish the ranks        (RuntimeError)
 ├── DatasetError          rows, columns or files that a dataset cannot use        (ValueError)
 ├── TrainingError         a training that cannot go on                           (RuntimeError)
 ├── CheckpointError       a checkpoint that is missing, truncated, foreign or another one's (ValueError)
 ├── RunStoreError         a run store that is missing, truncated or foreign       (ValueError)
 └── NotYetError           a part of MindSpore that simpar does not have yet       (NotImplementedError)

Catch ``SimparError`` for all of them, or the built-in error that MindSpore raises for the same mistake: each class
is also a subclass of it.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

__all__ = [
    "AxisError",
    "CellAttributeError",
    "CheckpointError",
    "ContextError",
    "ContextKeyError",
    "DTypeError",
    "DatasetError",
    "LaunchError",
    "LayoutError",
    "Misfit",
    "MismatchError",
    "MissingImportError",
    "MissingNameError",
    "ModeError",
    "MpiMissingError",
    "NotYetError",
    "ParameterError",
    "ParameterNameError",
    "PlanMismatchError",
    "RuleError",
    "RunStoreError",
    "SimparError",
    "StrategyError",
    "TraceError",
    "TrainingError",
    "ValueDependentError",
    "VerifyError",
    "WorldError",
]


class Misfit(NamedTuple):
    """A length that an error complains about, and one that would do: where lengths are unknown, another is tried.

    Args:
        length: as it is.
        wanted: as it should be.
        is_multiple: whether any multiple of ``wanted`` would do.
    """

    length: int
    wanted: int
    is_multiple: bool = False


class SimparError(Exception):
    """Is the base of every error that simpar raises on purpose.

    Args:
        args: what was wrong, what was expected, how to fix it.
        misfits: the lengths that disagree, if it is they.
        named: what else the built-in error takes, such as the ``name`` of an import.
    """

    def __init__(self, *args: object, misfits: Iterable[Misfit] = (), **named: Any) -> None:
        super().__init__(*args, **named)
        self.misfits = tuple(misfits)

    def at(self, where: str, kind: "type[SimparError] | None" = None) -> "SimparError":
        """Return the same error with the place where it arose, as another kind if one is given.

        >>> str(RuleError("2 is not 3.").at("op add"))
        'op add: 2 is not 3.'
        """
        return (kind or type(self))(f"{where}: {self}", misfits=self.misfits)


class DTypeError(SimparError, TypeError):
    """Says that a value or an element type cannot be used here."""


class LayoutError(SimparError, ValueError):
    """Says that a layout, a slice or a shape cannot be."""


class MismatchError(LayoutError, DTypeError, RuntimeError):
    """Says that a Parameter of a checkpoint has another shape or type than that of the network."""


class RuleError(SimparError, ValueError):
    """Says that the rule of an op does not fit its operands."""


class AxisError(RuleError, IndexError):
    """Says that an op is asked for an axis that its operand does not have."""


class StrategyError(SimparError, RuntimeError):
    """Says that an op cannot take the strategy it was given."""


class ParameterError(SimparError, ValueError):
    """Says that a Parameter or an initializer cannot have this setting."""


class ModeError(SimparError, RuntimeError):
    """Says that the present mode does not allow this call."""


class ParameterNameError(ParameterError):
    """Says that a parameter's name is taken or is not a name."""


class ContextError(SimparError, ValueError):
    """Says that an option does not exist or contradicts another."""


class ContextKeyError(SimparError, KeyError):
    """Says that an option's dictionary lacks a key or has one that does not exist."""

    __str__ = Exception.__str__  # KeyError would show the message in quotes


class CellAttributeError(SimparError, AttributeError, KeyError):
    """Says that a Cell lacks an attribute, or cannot take one of this name."""

    __str__ = Exception.__str__  # KeyError would show the message in quotes


class MissingNameError(SimparError, AttributeError):
    """Says that simpar does not have a name of MindSpore, and which it has that look alike."""


class MissingImportError(SimparError, ImportError):
    """Says that simpar does not have what is imported from MindSpore, and what it has that looks alike."""


class TraceError(SimparError, RuntimeError):
    """Says that a function cannot become a graph."""


class ValueDependentError(TraceError):
    """Says that control flow depends on values, which a graph cannot hold."""


class VerifyError(SimparError, RuntimeError):
    """Says that a pass broke a promise of the graph, which is a bug in simpar."""


class WorldError(SimparError, RuntimeError):
    """Says that ranks, devices and groups do not fit together."""


class MpiMissingError(WorldError):
    """Says that MPI or mpi4py is not installed, and what to install."""


class PlanMismatchError(WorldError):
    """Says that ranks compiled different plans, and where they differ first."""


class LaunchError(SimparError, RuntimeError):
    """Says that ``simpar run`` could not start or finish the ranks."""


class RunStoreError(SimparError, ValueError):
    """Says that a run store is missing, truncated, locked or foreign."""


class CheckpointError(SimparError, ValueError):
    """Says that a checkpoint is missing, truncated, foreign, or does not hold what is asked of it."""


class DatasetError(SimparError, ValueError):
    """Says that rows, columns, samplers or files do not fit what a dataset does with them."""


class TrainingError(SimparError, RuntimeError):
    """Says that a training cannot go on: no rows, rows that do not fit the network, a loss that is no number."""


class NotYetError(SimparError, NotImplementedError):
    """Says that simpar does not have this part of MindSpore yet."""
