"""``Parameter``: a named Tensor that training changes, and of which each rank may hold a slice."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from simpar.context import current
from simpar.errors import DTypeError, LayoutError, ModeError
from simpar.graph import Operand, ParameterSpec, Trace, refuse_value
from simpar.initializer import Filling, bind, recipe
from simpar.layout import Box, Layout
from simpar.parameter.described import Described
from simpar.parameter.settings import Settings
from simpar.parameter.slices import asked_layout, part_of, whole_box
from simpar.parameter.source import check_bool, check_clone_init, filling_of, fitting, number_like, values_of
from simpar.tensor import Tensor, on_other_ranks

__all__ = ["Parameter"]

Array = NDArray[Any]
Shape = tuple[int, ...]


class Parameter(Described):
    """A weight of a Cell, with MindSpore's interface.

    Made from an initializer's Tensor in ``semi_auto_parallel`` or ``auto_parallel`` it has a shape and a type but no
    values: each rank fills its own slice when the network is compiled, or in ``init_data``. Otherwise it has its
    values at once. ``docs/parameter.md`` goes through every member.

    Args:
        default_input: its values: a Tensor, a number, an array, or a list of numbers.
        name: its name; None lets the Cell that takes it name it after the attribute.
        requires_grad: whether it is trained.
        layerwise_parallel: whether, in data and hybrid parallel mode, it is each rank's own: it is not broadcast, and
            its gradients are not reduced.
        parallel_optimizer: whether the parallel optimizer, where it is enabled, may store it in slices.

    Raises:
        DTypeError: it cannot be made of ``default_input``, or a flag is no bool.
        ParameterError: ``default_input`` is a bool, or its shape is not known.
        ParameterNameError: ``name`` is no name.

    >>> Parameter(Tensor([[1.0, 1.0]]), name="w")
    Parameter (name=w, shape=(1, 2), dtype=Float32, requires_grad=True)
    """

    def __init__(
        self,
        default_input: object,
        name: str | None = None,
        requires_grad: bool = True,
        layerwise_parallel: bool = False,
        parallel_optimizer: bool = True,
    ) -> None:
        filling = filling_of(default_input)
        if filling is None:
            super().__init__(0)
            self._fill(values_of(default_input))
        else:
            given = cast("Tensor", default_input)
            super().__init__(shape=given.shape, dtype=given.dtype, init=filling)
        settings = Settings(
            requires_grad=check_bool("requires_grad", requires_grad),
            layerwise_parallel=check_bool("layerwise_parallel", layerwise_parallel),
            parallel_optimizer=check_bool("parallel_optimizer", parallel_optimizer),
        )
        self._describe(name, settings)
        self._full = self._shape
        self._box: Box | None = None  # the part of the whole that this rank holds, if not all; None also if not known
        self._is_placed = False
        self._was_inited = False  # from no values to values, by init_data or by a program
        self._made_partitioned = None if filling is None else current().is_partitioned
        if filling is None:
            self._hold_as(default_input)
        elif not current().is_partitioned:
            self._materialise()

    # --- what it is ---

    @property
    def shape(self) -> Shape:
        """The shape of the slice that this rank holds; inside a traced function that of the whole value."""
        return self._shape if _active_trace() is None else self._full

    @property
    def full_shape(self) -> Shape:
        """The shape of the whole value, whatever slice this rank holds."""
        return self._full

    @property
    def data(self) -> "Parameter":
        """The Parameter itself."""
        return self

    @property
    def inited_param(self) -> "Parameter | None":
        """The Parameter with values that ``init_data`` made of one without: itself, as that happens in place.

        None before. (MindSpore's releases since 1.3 leave it None in this case; the reference page says otherwise.)
        """
        return self if self._was_inited else None

    def spec(self) -> ParameterSpec:
        """Return what a plan must know of it."""
        return ParameterSpec(
            name=self.name,
            requires_grad=self.requires_grad,
            layerwise_parallel=self.layerwise_parallel,
            parallel_optimizer=self.parallel_optimizer,
            comm_fusion=self.comm_fusion,
            comm_recompute=self.parallel_optimizer_comm_recompute,
            state_of=self.state_of,
            lost_axis=self.lost_axis,
            layout=self.layout,
        )

    # --- its values ---

    def operand(self) -> Operand:
        """Return its value in the active trace, or the array that it holds."""
        trace = _active_trace()
        return self._data("this operation") if trace is None else trace.parameter(self)

    def _data(self, what: str) -> Array:
        context = current()
        if context.trace is not None:
            raise refuse_value(what)
        if context.planner is not None:
            context.planner.asked(what)  # what a program that only was planned would have made of it
        return self._values()

    def _values(self) -> Array:
        if self._array is None and self.init is None and self.layout is not None:
            raise on_other_ranks(f"Parameter {self.name!r}", self.layout)
        if self._array is None:
            self._materialise()
        assert self._array is not None, "a Parameter has values or an initializer"
        return self._array

    def _materialise(self) -> None:
        """Fill a Parameter without values whole."""
        self._keep(self._filled(whole_box(self._full)), None)

    def _filled(self, box: Box, out: Array | None = None) -> Array:
        return cast("Filling", self.init).fill(self._full, self.dtype, box, out)

    def _keep(self, array: Array, box: Box | None, layout: Layout | None = None) -> None:
        """Hold ``array``, which is this box of the value, from here on."""
        self._fill(array)
        self.init, self.layout = None, layout
        self._box = None if box is None or box == whole_box(self._full) else box
        self.full_shape_of_slice = None if self._shape == self._full else self._full

    def _hold_as(self, given: object) -> None:
        """Note that the present values are the slice that ``given``, a Tensor, was of a larger value."""
        if isinstance(given, Parameter):
            self._full, box, layout = given._full, given._box, given.layout
        elif isinstance(given, Tensor) and given.layout is not None and given.full_shape_of_slice is not None:
            self._full, layout = given.full_shape_of_slice, given.layout
            box = layout.box(self._full, current().rank)
        else:
            return
        self._keep(self._values(), box, layout)

    def set_data(self, data: Tensor | float, slice_shape: bool = False) -> "Parameter":
        """Give it new values, and return it.

        A Parameter that a program has placed is written in place. One that holds a known slice takes a Tensor of the
        whole shape as well, and keeps its part. ``sliced`` becomes ``slice_shape``.

        Args:
            data: a Tensor, or a number for a Parameter without axes. Its type may be lower than the Parameter's in
                MindSpore's order of types, not higher.
            slice_shape: whether ``data`` is this rank's slice, so that its shape is not checked.

        Raises:
            DTypeError: ``data`` is no Tensor or number, or its type is higher.
            LayoutError: its shape is another one and ``slice_shape`` is False.

        >>> Parameter(Tensor([1.0, 2.0])).set_data(Tensor([3, 4])).asnumpy()
        array([3., 4.], dtype=float32)
        """
        if not isinstance(data, Tensor | int | float):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"data is {data!r}, a {type(data).__name__}; give a Tensor or a number.")
        new = data if isinstance(data, Tensor) else Tensor(number_like(data, self.name, self.dtype))
        if (trace := _active_trace()) is not None:
            trace.assign(self, new.operand())
            return self
        self._check_shape(new, slice_shape)
        fitting(new.dtype, self.name, self.dtype)
        if self.init is not None and new.init is not None:
            self._full = self._shape = new.shape
            self.init = filling_of(new)
        else:
            self._write(self._own_part(new))
        self._sliced = slice_shape
        return self

    def _check_shape(self, new: Tensor, slice_shape: bool) -> None:
        known = new.shape == self._full and (self._box is not None or self._shape == self._full)
        if not slice_shape and not known and new.shape != self._shape:
            raise LayoutError(
                f"Parameter {self.name!r} has shape {self._shape}, but the new data has shape {new.shape}. Reshape it, "
                f"or pass slice_shape=True if it is this rank's slice."
            )
        if new.layout is not None and self.layout is not None and not new.layout.same_slices(self.layout):
            raise LayoutError(
                f"Parameter {self.name!r} is stored in layout {self.layout}, but the new data is cut by {new.layout}. "
                f"Let the program that makes it return it whole."
            )

    def _own_part(self, new: Tensor) -> Array:
        """Return the values of ``new``, and of a whole value only the part that this rank holds."""
        box = self._box if new.shape == self._full and self._box is not None else None
        filling = filling_of(new)
        if filling is not None:
            return filling.fill(new.shape, self.dtype, box or whole_box(new.shape))
        values = new.asnumpy()
        return values if box is None else part_of(values, whole_box(self._full), box, self.name)

    def _write(self, values: Array) -> None:
        if self._is_placed and values.shape == self._shape:
            np.copyto(cast("Array", self._array), values)
            return
        same = values.shape == self._shape
        if not same and not current().is_partitioned:
            self._full = values.shape  # no mode that cuts: what a rank holds is all there is
        box, layout = (self._box, self.layout) if same else (None, None)
        self._is_placed = self._is_placed and same
        self._keep(values.astype(self.dtype.numpy, copy=True), box, layout)

    def assign_value(self, value: Tensor) -> "Parameter":
        """Let it hold ``value`` from here on: as an output of the active trace, or at once."""
        return self.set_data(value)

    # --- slices ---

    def init_data(self, layout: Any = None, set_sliced: bool = False) -> "Parameter":  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fill a Parameter without values, in place, and return it; one that has values is returned as it is.

        Args:
            layout: ``([dev_mat], [tensor_map], [slice_shape])`` of the slice to fill, with the values of the same box
                on one device; None for the whole value. MindSpore's compiler gives three members more: the field size,
                whether slices are uniform, and the group of the parallel optimizer, whose further cut of axis 0 the
                slice does not have.
            set_sliced: what ``sliced`` becomes.

        Raises:
            DTypeError: ``layout`` is no tuple.
            LayoutError: ``layout`` has less than three members. (MindSpore's releases ask for six; the reference page
                says three.)
            ModeError: it was made by an initializer, and the parallel mode changed since between one that cuts programs
                and one that does not.
        """
        if self._made_partitioned is not None and self._made_partitioned != current().is_partitioned:
            raise ModeError(
                f"Parameter {self.name!r} was made in {'a' if self._made_partitioned else 'no'} mode that cuts "
                f"programs, semi_auto_parallel or auto_parallel; now it is {current().parallel.parallel_mode!r}. "
                f"Call set_auto_parallel_context before making the network."
            )
        if self.init is None:
            return self
        asked = asked_layout(layout, self._full)
        if asked is None:
            self._materialise()
        else:
            self._fill_slice(*asked)
        self._was_inited, self._sliced = True, set_sliced
        return self

    def _fill_slice(self, layout: Layout, slice_shape: Shape) -> None:
        rank = current().rank % layout.size  # a pipeline stage numbers its devices from 0
        divides = all(n % cut == 0 for n, cut in zip(self._full, layout.cuts, strict=True))
        if divides and slice_shape == layout.slice_shape(self._full):
            box = layout.box(self._full, rank)
            self._keep(self._filled(box), box, layout)
        else:  # the caller's own idea of a slice: equal for equal slice numbers
            made = cast("Filling", self.init).fill_slice(slice_shape, self.dtype, layout.slice_index(rank))
            self._keep(made, None)

    @property
    def placed(self) -> Array | None:
        """The array that holds its slice once a program has placed it; None before."""
        return self._array if self._is_placed else None

    def place(self, layout: Layout, rank: int, array: Array | None = None) -> None:
        """Hold the slice of ``layout`` that belongs to ``rank``: its initial values, or its part of the present ones.

        Args:
            layout: how the whole value is cut, with the parallel optimizer's cut if there is one.
            rank: the rank that this process plays.
            array: storage of the slice's shape and type, e.g. a view of a flat buffer; a new array if None.

        Raises:
            LayoutError: the present values are a slice that does not contain the new one.
        """
        box = layout.box(self._full, rank)
        slice_shape = layout.slice_shape(self._full, rank)
        target = np.empty(slice_shape, self.dtype.numpy) if array is None else array
        assert target.shape == slice_shape and target.dtype == self.dtype.numpy, "storage fits the slice"
        if self.init is not None:
            self._filled(box, target)
            self._was_inited = True
        elif self._box is None and self._shape != self._full:
            self._place_slice_of_user(target, layout)
        elif target is not self._array:
            target[...] = part_of(self._values(), self._box or whole_box(self._full), box, self.name)
        self._keep(target, box, layout)
        self._is_placed = True
        self._sliced = self._box is not None

    def plan(self, layout: Layout) -> None:
        """Have the shape of a slice of ``layout``, in a program that only is planned."""
        self._shape, self.full_shape_of_slice, self.layout = layout.slice_shape(self._full), self._full, layout

    def leave(self, layout: Layout) -> None:
        """Leave the values to the ranks of another stage of a pipeline, those of ``layout``."""
        self.plan(layout)
        self._array, self.init, self._is_placed = None, None, False

    def _place_slice_of_user(self, target: Array, layout: Layout) -> None:
        if self._shape != target.shape:
            raise LayoutError(
                f"Parameter {self.name!r} was given a slice of shape {self._shape}, but its layout {layout} cuts "
                f"{self._full} into slices of shape {target.shape}. Give it the whole value, or a slice of that shape."
            )
        target[...] = self._values()

    # --- copies ---

    def clone(self, init: Any = "same") -> "Parameter":
        """Return a Parameter like this one: name, settings, shape and type are equal, values independent.

        Args:
            init: ``"same"`` for equal values; otherwise what fills it: an alias such as ``"zeros"``, a number, an
                Initializer, or a Tensor of the same shape.

        Raises:
            DTypeError: ``init`` is none of these.
            LayoutError: ``init`` is a Tensor of another shape.
            ParameterError: no initializer has this alias.
        """
        check_clone_init(init)
        made = Parameter.__new__(Parameter)
        made.__dict__.update(self.__dict__)
        made.follow(self)
        made._is_init, made._unique, made._is_placed, made._was_inited = False, False, False, False
        made._key = current().count("parameter key") if self.cache_enable else -1
        if isinstance(init, Tensor):
            made._copy_of(self._checked_clone(init))
        elif init != "same":
            made._fill_anew(bind(recipe(init), self._full))
        elif self.init is None:
            made._fill(self._values().copy())
        made._sliced = made._box is not None
        return made

    def _checked_clone(self, init: Tensor) -> Tensor:
        if init.shape not in (self._full, self._shape):
            raise LayoutError(
                f"init is a Tensor of shape {init.shape}, but Parameter {self.name!r} has shape {self._shape}."
            )
        return init

    def _copy_of(self, init: Tensor) -> None:
        filling = filling_of(init)
        if filling is not None:
            self._fill_anew(filling)
            return
        values = init.asnumpy()
        if init.shape == self._full and self._box is not None:
            values = part_of(values, whole_box(self._full), self._box, self.name)
        self._keep(values.astype(self.dtype.numpy, copy=True), self._box, self.layout)

    def _fill_anew(self, filling: Filling) -> None:
        """Be filled by an initializer: later where programs are cut, else at once."""
        box, layout = self._box, self.layout
        self._made_partitioned = current().is_partitioned
        self._array, self.init, self.layout, self._box = None, filling, None, None
        self._shape = self._full
        if not current().is_partitioned:
            self._keep(self._filled(box or whole_box(self._full)), box, layout)

    def copy(self) -> "Parameter":
        """Return a clone with equal values."""
        return self.clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter":
        made = self.clone()
        made.follow(None)
        made._settings = Settings(requires_grad=self.requires_grad)  # MindSpore keeps name and requires_grad only
        memo[id(self)] = made
        return made


def _active_trace() -> Trace | None:
    return current().trace
