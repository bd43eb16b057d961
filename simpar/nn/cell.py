"""``Cell``: a part of a network, made of Parameters, of other Cells, and of a ``construct`` that computes.

Cells form a tree: Parameters and Cells assigned to attributes are found, named and listed. Calling a Cell runs
``construct``: as a compiled graph in graph mode, at once otherwise, and inline while an outer Cell is being traced.
"""

import inspect
from collections.abc import Callable, Generator, Sequence
from typing import Any, Self, cast

from simpar.context import GRAPH_MODE, compiler, current, runner
from simpar.errors import CellAttributeError, DTypeError, TraceError
from simpar.layout import ParameterLayout
from simpar.nn.cell_buffers import CellBuffers
from simpar.nn.cell_hints import CellHints
from simpar.nn.cell_hooks import CellHooks
from simpar.nn.cell_options import CellOptions
from simpar.nn.cell_sharding import CellStrategy, shard_function
from simpar.parameter import Parameter, ParameterTuple, check_names, is_unnamed, number_unnamed
from simpar.tensor import Tensor

__all__ = ["Cell"]


class Cell(CellHints, CellBuffers, CellHooks, CellOptions):
    """A part of a network; subclass it, assign Parameters and Cells in ``__init__`` and compute in ``construct``.

    Args:
        auto_prefix: whether Parameters below a Cell that becomes an attribute are named by their path.
        flags: see ``add_flags``.

    >>> class Scale(Cell):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = Parameter(Tensor([2.0]))
    ...     def construct(self, x):
    ...         return x * self.factor
    >>> [p.name for p in Scale().trainable_params()]
    ['factor']
    """

    def __init__(self, auto_prefix: bool = True, flags: dict[str, Any] | None = None) -> None:
        attributes = vars(self)  # past __setattr__, which needs these
        attributes["_params"] = dict[str, Parameter | None]()
        attributes["_cells"] = dict[str, Cell | None]()
        attributes["_buffers"] = dict[str, Parameter | None]()
        attributes["_lists"] = dict[str, tuple[Parameter, ...]]()  # the members of lists and tuples, by attribute
        self._tuples: dict[str, dict[str, Parameter]] = {}  # those of each ParameterTuple, by their first names
        self._numbered: dict[str, Parameter] = {}
        self._auto_prefix = auto_prefix
        self._prefix = ""  # path of this Cell and a dot, once it is an attribute of another
        self._scope = ""
        self._training = False
        self._requires_grad = False
        self._names_hold = False
        self._flags = flags
        self.parameter_layout_dict: dict[str, ParameterLayout] = {}
        """How each Parameter and input is cut, by its name, once the Cell was compiled in semi_auto_parallel or
        auto_parallel mode."""

    # --- attributes ---

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._hold_parameter(name, value)
        elif isinstance(value, Cell):
            self._hold_cell(name, value)
        elif name in self.__dict__.get("_params", ()):
            self._refill(name, value)
        elif name in self.__dict__.get("_cells", ()):
            if value is not None:
                raise DTypeError(f"{self._place(name)} holds a Cell; assign another Cell or None, not {value!r}.")
            self._cells[name] = None
        elif name in self.__dict__.get("_buffers", ()):
            self._refill_buffer(name, value)
        else:
            self._hold_members(name, value)
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        for held in ("_params", "_cells", "_buffers"):
            if name in self.__dict__.get(held, ()):
                found = self.__dict__[held][name]
                return self._seen(found) if self._is_computing and isinstance(found, Parameter) else found
        made = "" if "_params" in self.__dict__ else " Its __init__ does not call super().__init__()."
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.{made}")

    def __delattr__(self, name: str) -> None:
        for held in (self._params, self._cells, self._buffers):
            if held.pop(name, self) is not self:
                return
        self._forget_members(name)
        object.__delattr__(self, name)

    def _place(self, name: str) -> str:
        return f"attribute {name!r} of {type(self).__name__}"

    def _free(self, name: str, what: str) -> None:
        """Make room for a Parameter or Cell under ``name``; a Cell takes the place of what stood there."""
        if "_params" not in self.__dict__:
            raise CellAttributeError(f"{self._place(name)} is {what}: call super().__init__() before assigning it.")
        if what != "a Cell" and self.__dict__.get(name) is not None and name not in self._lists:
            raise DTypeError(f"{self._place(name)} holds {self.__dict__[name]!r} already; {what} needs a free name.")
        vars(self).pop(name, None)
        self._forget_members(name)
        self._names_hold = False

    def _hold_parameter(self, name: str, value: Parameter) -> None:
        self._free(name, "a Parameter")
        if self._cells.get(name) is not None:
            raise DTypeError(f"{self._place(name)} holds a Cell already; a Parameter needs a free name.")
        self._cells.pop(name, None)
        self.insert_param_to_cell(name, value)

    def _hold_cell(self, name: str, value: "Cell") -> None:
        self._free(name, "a Cell")
        if self._params.get(name) is not None:
            raise DTypeError(f"{self._place(name)} holds a Parameter already; a Cell needs a free name.")
        if name in self._params:
            raise CellAttributeError(f"{self._place(name)} is a Parameter's, though empty: `del` it before that.")
        if self._auto_prefix:
            value.update_parameters_name(f"{self._prefix}{name}.")
            value._scope = name
        self._cells[name] = value

    def _refill(self, name: str, value: object) -> None:
        """Set the data of a Parameter through its attribute, or take it away."""
        held = self._params[name]
        if value is None:
            self._params[name] = None
        elif isinstance(value, Tensor) and held is not None:
            held.assign_value(value)
        else:
            raise DTypeError(
                f"{self._place(name)} holds a Parameter; assign another one, a Tensor with new data, or None, "
                f"not {type(value).__name__}."
            )

    def _hold_members(self, name: str, value: object) -> None:
        """Name and remember the members of a list or tuple of Parameters; register those of a ParameterTuple."""
        members = _parameters_of(value)
        if members and "_params" not in self.__dict__:
            raise CellAttributeError(
                f"{self._place(name)} holds Parameters: call super().__init__() before assigning it."
            )
        self._forget_members(name)
        if members:
            nameless = [m for m in members if is_unnamed(m)]
            number_unnamed(nameless, len(self._numbered) + 1)
            self._numbered.update({m.name: m for m in nameless})
            check_names([*(m for held in self._lists.values() for m in held), *members])
            if isinstance(value, ParameterTuple):
                self._tuples[name] = {m.name: m for m in members}
            self._lists[name] = members
            self._names_hold = False

    def _forget_members(self, name: str) -> None:
        for held in ("_lists", "_tuples"):
            self.__dict__.get(held, {}).pop(name, None)

    def insert_param_to_cell(
        self, param_name: str, param: Parameter | None, check_name_contain_dot: bool = True
    ) -> None:
        """Hold a Parameter under a name; it takes that name if it has none.

        Raises:
            CellAttributeError: the name is empty, has a dot, or is that of another attribute.
            DTypeError: ``param`` is no Parameter.
        """
        vars(self)["_names_hold"] = False
        if not param_name or (check_name_contain_dot and "." in param_name):
            raise CellAttributeError(f"{param_name!r} cannot name a Parameter: give a name without dots.")
        if "_params" not in self.__dict__:
            raise CellAttributeError(f"call super().__init__() before inserting Parameter {param_name!r}.")
        if param_name not in self._params and hasattr(self, param_name):
            raise CellAttributeError(
                f"{self._place(param_name)} exists already; insert the Parameter under another name."
            )
        if not isinstance(param, Parameter | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"insert_param_to_cell takes a Parameter, not {type(param).__name__}.")
        if param is not None and is_unnamed(param):
            param.name = param_name
        self._params[param_name] = param

    def insert_child_to_cell(self, child_name: str, child_cell: "Cell | None") -> None:
        """Hold a Cell, or room for one, under a name.

        Raises:
            CellAttributeError: the name is empty, has a dot, or is that of another attribute.
            DTypeError: ``child_cell`` is no Cell.
        """
        if not child_name or "." in child_name or (child_name not in self._cells and hasattr(self, child_name)):
            raise CellAttributeError(f"{child_name!r} cannot name a Cell here: it is empty, has a dot, or is taken.")
        if not isinstance(child_cell, Cell | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"insert_child_to_cell takes a Cell, not {type(child_cell).__name__}.")
        self._cells[child_name] = child_cell

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy takes over: all but programs and functions that belong to this very Cell."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_simpar_")}

    # --- names ---

    def update_parameters_name(self, prefix: str = "", recurse: bool = True) -> None:
        """Rename every Parameter to ``prefix`` and its path below this Cell."""
        for path, parameter in list(self.parameters_and_names(expand=recurse)):
            parameter.name = prefix + path
        for path, cell in self.cells_and_names() if recurse else [("", self)]:
            cell._prefix = prefix + (f"{path}." if path else "")
            for name, parameter in (*cell._numbered.items(), *cell._buffers.items()):
                if parameter is not None:
                    parameter.name = cell._prefix + name

    def check_names(self) -> None:
        """Check that no two Parameters have one name, those in lists included; every compilation does.

        Raises:
            ParameterNameError: two have.
        """
        listed = (m for _, cell in self.cells_and_names() for held in cell._lists.values() for m in held)
        check_names([*self.get_parameters(), *listed])
        self._names_hold = True

    # --- the tree ---

    def name_cells(self) -> dict[str, "Cell"]:
        """Return the Cells that are attributes of this one, by name; a Cell that has two names once."""
        found: dict[int, tuple[str, Cell]] = {}
        for name, cell in self._cells.items():
            if cell is not None:
                found.setdefault(id(cell), (name, cell))
        return dict(found.values())

    def cells(self) -> list["Cell"]:
        """Return the Cells that are attributes of this one."""
        return list(self.name_cells().values())

    def cells_and_names(
        self, cells: set["Cell"] | None = None, name_prefix: str = ""
    ) -> Generator[tuple[str, "Cell"], None, None]:
        """Give path and Cell for this one and all below, outer ones first; each once."""
        seen = set[Cell]() if cells is None else cells
        if self in seen:
            return
        seen.add(self)
        yield name_prefix, self
        for name, cell in self._cells.items():
            if cell is not None:
                yield from cell.cells_and_names(seen, f"{name_prefix}.{name}" if name_prefix else name)

    def parameters_and_names(
        self, name_prefix: str = "", expand: bool = True
    ) -> Generator[tuple[str, Parameter], None, None]:
        """Give path and Parameter for all of this Cell and, with ``expand``, of those below; each once."""
        seen: set[int] = set()
        for path, cell in self.cells_and_names(name_prefix=name_prefix) if expand else [(name_prefix, self)]:
            members = (member for held in cell._tuples.values() for member in held.items())
            for name, held in (*cell._params.items(), *members):
                parameter = held if held is None or held.inited_param is None else held.inited_param
                if parameter is not None and id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield f"{path}.{name}" if path else name, parameter

    def get_parameters(self, expand: bool = True) -> Generator[Parameter, None, None]:
        """Give the Parameters of this Cell and, with ``expand``, of those below."""
        for _, parameter in self.parameters_and_names(expand=expand):
            yield parameter

    def trainable_params(self, recurse: bool = True) -> list[Parameter]:
        """Return the Parameters that require a gradient."""
        return [p for p in self.get_parameters(recurse) if p.requires_grad]

    def untrainable_params(self, recurse: bool = True) -> list[Parameter]:
        """Return the Parameters that do not require a gradient."""
        return [p for p in self.get_parameters(recurse) if not p.requires_grad]

    def parameters_dict(self, recurse: bool = True) -> dict[str, Parameter]:
        """Return the Parameters by their names."""
        return {p.name: p for p in self.get_parameters(recurse)}

    # --- how it runs ---

    def construct(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result from the inputs; every Cell that is called defines it.

        Raises:
            CellAttributeError: the Cell does not.
        """
        raise CellAttributeError(f"{type(self).__name__} was called, but does not define construct(self, ...).")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run ``construct``: inline in an active trace, compiled in graph mode, else at once."""
        return self._run_hooked(args, kwargs)

    def _run_construct(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args, named = self._in_order(args, kwargs) if kwargs else (args, {})
        args, named = self._cast(args), dict(zip(named, self._cast(tuple(named.values())), strict=True))
        trace = current().trace
        if trace is not None:
            with self._recorded(trace):
                return self._run_traced(args, named)
        if not self._names_hold:
            self.check_names()
        run = runner() if current().mode == GRAPH_MODE else None
        if run is None:
            return self._entry()(*args, **named)
        return run(self._entry(), args, self, named)

    def _in_order(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments in order, and those that construct takes by keyword only."""
        bound = inspect.signature(self.construct).bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def compile(self, *args: Any) -> None:
        """Compile the Cell for inputs of these shapes without running it.

        Raises:
            TraceError: only a part of simpar was imported, so that there is no compiler.
        """
        self.check_names()
        compile_function = compiler()
        if compile_function is None:
            raise TraceError("there is nothing to compile with: `import simpar` as a whole.")
        compile_function(self._entry(), args, self)

    @property
    def training(self) -> bool:
        """Whether the Cell trains. A compiled graph that asked is made anew when the answer changes."""
        trace = current().trace
        if trace is not None:
            trace.guards.append(lambda: self._training)
        return self._training

    @training.setter
    def training(self, mode: bool) -> None:
        self._training = mode

    @property
    def phase(self) -> str:
        """``"train"`` or ``"predict"``."""
        return "train" if self.training else "predict"

    def set_train(self, mode: bool = True) -> Self:
        """Let this Cell and all below train, or not: dropout acts only in training."""
        for _, cell in self.cells_and_names():
            cell._training = mode
        return self

    @property
    def requires_grad(self) -> bool:
        """Whether gradients of this Cell are wanted; kept for MindSpore's scripts, autodiff looks at its targets."""
        return self._requires_grad

    def set_grad(self, requires_grad: bool = True) -> Self:
        """Say whether gradients of this Cell are wanted."""
        self._requires_grad = requires_grad
        return self

    def shard(
        self,
        in_strategy: CellStrategy,
        out_strategy: CellStrategy | None = None,
        parameter_plan: dict[str, Any] | None = None,
        device: str = "Ascend",
        level: int = 0,
    ) -> Callable[..., Any]:
        """Return a function that runs the Cell with its inputs and results laid out as given.

        Args:
            in_strategy: for each input its cut, a ``Layout``, or None to leave it.
            out_strategy: the same for the results.
            parameter_plan: for Parameters by name the cut or the ``Layout`` in which they are stored.
            device, level: taken as MindSpore does; they change nothing.
        """
        return shard_function(self, in_strategy, out_strategy, parameter_plan)

    # --- how it shows itself ---

    def extend_repr(self) -> str:
        """Return what stands between the parentheses of the Cell's text."""
        return ""

    def __repr__(self) -> str:
        extra, below = self.extend_repr(), self.name_cells()
        if not below:
            return f"{type(self).__name__}<{extra}>"
        lines = [extra] if extra else []
        lines += [f"({name}): {cell!r}" for name, cell in below.items()]
        text = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}<\n  {text}\n  >"


def _parameters_of(value: object) -> tuple[Parameter, ...]:
    """Return the members of a list or tuple that holds only Parameters; nothing for any other value."""
    if not isinstance(value, list | tuple):
        return ()
    members = tuple(cast("Sequence[Any]", value))
    return members if all(isinstance(m, Parameter) for m in members) else ()
