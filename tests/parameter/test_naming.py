"""Names: which are possible, the mark of the nameless, and collisions; the naming of Cells is tested with them."""

import pytest

from simpar.errors import DTypeError, ParameterError, ParameterNameError
from simpar.parameter import Parameter, ParameterTuple, check_names, is_unnamed, number_unnamed
from tests.parameter.making import ones


@pytest.mark.parametrize("name", [None, "", "   "])
def test_parameter_without_a_name_carries_the_mark(name: str | None) -> None:
    made = Parameter(1, name)
    assert made.name == "Parameter"
    assert is_unnamed(made)


def test_name_is_stripped() -> None:
    """Page: "property name: Get the name of the parameter"."""
    made = Parameter(1, " w ")
    assert made.name == "w"
    assert not is_unnamed(made)


@pytest.mark.parametrize("name", ["w" * 1025, 3, b"w", ["w"]], ids=lambda n: str(n)[:5])
def test_what_is_no_name_is_refused_and_the_old_one_kept(name: object) -> None:
    made = ones(1)
    with pytest.raises(ValueError, match="name"):
        made.name = name  # pyright: ignore[reportAttributeAccessIssue]
    assert made.name == "w"
    with pytest.raises(ParameterNameError):
        Parameter(1, name)  # pyright: ignore[reportArgumentType]


def test_longest_name_has_1024_characters() -> None:
    assert len(Parameter(1, "w" * 1024).name) == 1024


def test_setting_none_takes_the_name_away() -> None:
    made = ones(1)
    made.name = None
    assert is_unnamed(made)


def test_nameless_members_are_numbered_across_containers() -> None:
    """Page, rule 2: "the names of parameters below are Parameter$1 and Parameter$2"."""
    first, named, second, third = Parameter(1), Parameter(2, "w"), Parameter(3), Parameter(4)
    after = number_unnamed([first, named, second])
    assert number_unnamed([third], after) == 4
    assert [p.name for p in (first, named, second, third)] == ["Parameter$1", "w", "Parameter$2", "Parameter$3"]


def test_two_parameters_of_one_name_are_refused() -> None:
    """Page, rule 3: "its name 'name_a' already exists."."""
    with pytest.raises(ValueError, match="its name 'name_a' already exists"):
        check_names([Parameter(1, "name_a"), Parameter(2, "name_a")])


def test_one_parameter_several_times_is_no_collision() -> None:
    """Page, rule 4: "the following example will not throw an exception"."""
    made = Parameter(1, "name_a")
    check_names([made, made, Parameter(2, "name_b"), made])


def test_nameless_parameters_do_not_collide() -> None:
    check_names([Parameter(1), Parameter(2)])


# --- ParameterTuple ---


def test_tuple_holds_parameters() -> None:
    made = ParameterTuple([Parameter(1, "a"), Parameter(2, "b")])
    assert isinstance(made, tuple)
    assert [p.name for p in made] == ["a", "b"]


def test_tuple_takes_any_iterable_and_one_object_twice() -> None:
    made = Parameter(1, "a")
    assert len(ParameterTuple(p for p in (made, made))) == 2
    assert ParameterTuple() == ()


def test_tuple_refuses_a_collision() -> None:
    with pytest.raises(ParameterNameError, match="its name 'a' already exists"):
        ParameterTuple([Parameter(1, "a"), Parameter(2, "a")])


@pytest.mark.parametrize("member", [1, None, "a"])
def test_tuple_refuses_what_is_no_parameter(member: object) -> None:
    with pytest.raises(DTypeError, match="a ParameterTuple holds Parameters"):
        ParameterTuple([Parameter(1), member])  # pyright: ignore[reportArgumentType]


def test_tuple_clones_under_a_prefix() -> None:
    weights = ParameterTuple([ones(2, name="a"), ones(3, name="b")])
    states = weights.clone("moments", init="zeros")
    assert isinstance(states, ParameterTuple)
    assert [(p.name, p.state_of, p.asnumpy().tolist()) for p in states] == [
        ("moments.a", "a", [0, 0]),
        ("moments.b", "b", [0, 0, 0]),
    ]
    assert [p.name for p in weights] == ["a", "b"]


@pytest.mark.parametrize("prefix", ["", " ", "a b", "a-b", None, 3])
def test_prefix_that_is_no_path_is_refused(prefix: str) -> None:
    with pytest.raises(ParameterError, match="prefix"):
        ParameterTuple([Parameter(1, "a")]).clone(prefix)
