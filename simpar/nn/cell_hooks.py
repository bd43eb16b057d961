"""Functions that are told when a Cell runs, and the Parameters of a Cell as a dictionary by their paths."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from simpar.autodiff import with_own_gradient
from simpar.context import PYNATIVE_MODE, current
from simpar.errors import CellAttributeError, DTypeError, MismatchError
from simpar.parameter import Parameter
from simpar.tensor import Tensor

__all__ = ["CellHooks", "HookHandle", "Unloaded"]

Hook = Callable[..., Any]


class Unloaded(NamedTuple):
    """What ``load_state_dict`` found on one side only."""

    missing_keys: list[str]
    unexpected_keys: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class HookHandle:
    """Is what registering a hook returns: it takes the hook away again."""

    hooks: list["HookHandle"]
    kind: str
    call: Hook
    with_kwargs: bool = False

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        if self in self.hooks:
            self.hooks.remove(self)


class CellHooks(ABC):
    """Is the part of a Cell that tells others.

    Hooks act in ``PYNATIVE_MODE``, as in MindSpore. Where a gradient is computed, they are called while its program is
    made, on Tensors without values; what they compute is part of the program.
    """

    _hook_handles: list[HookHandle] | None = None

    @abstractmethod
    def _run_construct(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the Cell."""

    @abstractmethod
    def parameters_and_names(self) -> Generator[tuple[str, Parameter], None, None]:
        """Give path and Parameter for all."""

    @abstractmethod
    def _kept_buffers(self) -> Generator[tuple[str, Parameter], None, None]:
        """Give path and buffer for those of the state."""

    def register_forward_pre_hook(
        self, hook_fn: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook_fn(cell, inputs)`` before the Cell runs; other inputs if it returns some.

        Args:
            hook_fn: with ``with_kwargs`` it takes the keyword arguments, too, and returns a pair.
            prepend: whether it comes before those that are there.
            with_kwargs: see ``hook_fn``.

        Raises:
            DTypeError: ``hook_fn`` is no function.
        """
        return self._register_hook("before", hook_fn, prepend, with_kwargs)

    def register_forward_hook(
        self, hook_fn: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> HookHandle:
        """Call ``hook_fn(cell, inputs, output)`` when the Cell has run; another output if it returns one.

        Args:
            hook_fn: with ``with_kwargs`` it takes the keyword arguments before the output.
            prepend, with_kwargs: see ``register_forward_pre_hook``.
            always_call: taken as MindSpore does; after an error no hook is called.
        """
        return self._register_hook("after", hook_fn, prepend, with_kwargs)

    def register_backward_pre_hook(self, hook_fn: Hook) -> HookHandle:
        """Call ``hook_fn(cell, grad_output)`` with the gradient of the results; another one if it returns one."""
        return self._register_hook("backward", hook_fn)

    def register_backward_hook(self, hook_fn: Hook) -> HookHandle:
        """Call ``hook_fn(cell, grad_input, grad_output)`` with both gradients; it may return others."""
        return self._register_hook("through", hook_fn)

    def _register_hook(self, kind: str, hook: Hook, prepend: bool = False, with_kwargs: bool = False) -> HookHandle:
        if not callable(hook):
            raise DTypeError(f"a hook is a function, not {hook!r}.")
        if self._hook_handles is None:
            vars(self)["_hook_handles"] = []
        hooks = vars(self)["_hook_handles"]
        made = HookHandle(hooks, kind, hook, with_kwargs)
        hooks.insert(0 if prepend else len(hooks), made)
        return made

    def _run_hooked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the Cell, and call its hooks."""
        if current().mode != PYNATIVE_MODE:
            return self._run_construct(args, kwargs)
        trace = current().trace
        if trace is not None:
            trace.guards.append(lambda: tuple(self._hook_handles or ()))
        if not self._hook_handles:
            return self._run_construct(args, kwargs)
        for hook in self._hooks_of("before"):
            args, kwargs = _inputs(hook.call(self, args, *((kwargs,) if hook.with_kwargs else ())), hook, args, kwargs)
        is_watched = trace is not None and (self._hooks_of("backward") or self._hooks_of("through"))
        out = self._run_watched(args, kwargs) if is_watched else self._run_construct(args, kwargs)
        for hook in self._hooks_of("after"):
            made = hook.call(self, args, *((kwargs,) if hook.with_kwargs else ()), out)
            out = out if made is None else made
        return out

    def _hooks_of(self, kind: str) -> list[HookHandle]:
        return [hook for hook in self._hook_handles or () if hook.kind == kind]

    def _run_watched(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the Cell so that the gradients of its inputs and results come by its hooks."""
        places = [place for place, x in enumerate(args) if isinstance(x, Tensor)]
        seen: list[Any] = [()]

        def before(*given: Any) -> tuple[Any, ...]:
            found = given[-1]
            for hook in self._hooks_of("through"):
                found = _changed(hook.call(self, found, seen[0]), found)
            return found

        def after(*given: Any) -> tuple[Any, ...]:
            found = given[-1]
            for hook in self._hooks_of("backward"):
                found = _changed(hook.call(self, found), found)
            seen[0] = found
            return found

        entered = list(args)
        for place, x in zip(places, with_own_gradient(_all, before, [args[p] for p in places]), strict=True):
            entered[place] = x
        out = self._run_construct(tuple(entered), kwargs)
        made = with_own_gradient(_all, after, _changed(out, ()))
        return made if isinstance(out, tuple) else made[0]

    # --- Parameters by their paths ---

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Parameter]:
        """Return Parameters and buffers by their paths below this Cell, which need not be their names.

        Args:
            prefix: what every key begins with.
            keep_vars: taken as MindSpore does: what is returned are the Parameters themselves.
        """
        return {prefix + path: held for path, held in (*self.parameters_and_names(), *self._kept_buffers())}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Unloaded:
        """Set the values of the Parameters from Tensors by their paths.

        Args:
            state_dict: what ``state_dict`` returns.
            strict: whether the keys must be the same.

        Returns:
            The keys that are missing, and those that are no Parameter's.

        Raises:
            DTypeError: ``state_dict`` is no dictionary.
            MismatchError: keys differ and ``strict`` is set.
            LayoutError: a shape differs.
        """
        if not isinstance(state_dict, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"load_state_dict takes a dictionary, not {state_dict!r}.")
        own = self.state_dict()
        found = Unloaded([k for k in own if k not in state_dict], [k for k in state_dict if k not in own])
        if strict and any(found):
            raise MismatchError(
                f"{type(self).__name__} misses {found.missing_keys} and has no {found.unexpected_keys}. Give the state "
                "of a Cell like it, or strict=False."
            )
        for key, parameter in own.items():
            if key in state_dict:
                parameter.set_data(state_dict[key])
        return found

    def get_sub_cell(self, target: str) -> Any:
        """Return the Cell at a path below this one, ``"layer.dense"``; this one for the empty path.

        Raises:
            CellAttributeError: there is none.
        """
        found: Any = self
        for name in target.split(".") if target else ():
            found = found.name_cells().get(name)
            if found is None:
                raise CellAttributeError(f"{type(self).__name__} has no Cell at {target!r}: there is no {name!r}.")
        return found


def _all(*given: Any) -> tuple[Any, ...]:
    return given


def _inputs(
    made: Any, hook: HookHandle, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the inputs as a hook that is called before the Cell leaves them."""
    if hook.with_kwargs:
        return (args, kwargs) if made is None else made
    return _changed(made, args), kwargs


def _changed(made: Any, otherwise: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what a hook returned as a tuple; what there was if it returned nothing."""
    if made is None:
        return otherwise
    return cast("tuple[Any, ...]", made) if isinstance(made, tuple) else (made,)
