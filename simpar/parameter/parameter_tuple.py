"""``ParameterTuple``: several Parameters, of different names."""

from collections.abc import Iterable
from typing import Any

from simpar.errors import DTypeError
from simpar.parameter.naming import check_names, check_prefix
from simpar.parameter.parameter import Parameter

__all__ = ["ParameterTuple"]


class ParameterTuple(tuple[Parameter, ...]):
    """A tuple of Parameters; as a Cell's attribute its members are the Cell's Parameters.

    Args:
        iterable: the Parameters; the same object may stand in it several times.

    Raises:
        DTypeError: a member is no Parameter.
        ParameterNameError: two different Parameters have the same name.

    >>> ParameterTuple([Parameter(1, "a"), Parameter(2, "b")]).clone("moments", init="zeros")[1].name
    'moments.b'
    """

    def __new__(cls, iterable: Iterable[Parameter] = ()) -> "ParameterTuple":
        """Check the members and return the tuple."""
        members = tuple(iterable)
        for member in members:
            if not isinstance(member, Parameter):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise DTypeError(f"a ParameterTuple holds Parameters, not {member!r}, a {type(member).__name__}.")
        check_names(members)
        return super().__new__(cls, members)

    def clone(self, prefix: str, init: Any = "same") -> "ParameterTuple":
        """Return clones of the Parameters, named ``prefix.NAME``.

        Args:
            prefix: letters, digits, ``_``, ``.`` and ``$``.
            init: what fills them; see ``Parameter.clone``.

        Raises:
            ParameterError: ``prefix`` is no such string.
        """
        check_prefix(prefix)
        clones = [member.clone(init) for member in self]
        for clone in clones:
            clone.name = f"{prefix}.{clone.name}"
        return ParameterTuple(clones)
