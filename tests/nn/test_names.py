"""Names of Parameters in Cells: the rules of MindSpore's Parameter page, one test each."""

from typing import Any

import numpy as np
import pytest

from simpar import nn
from simpar.errors import CellAttributeError
from simpar.parameter import Parameter, ParameterTuple
from simpar.tensor import Tensor


def parameter(name: str | None = None) -> Parameter:
    return Parameter(Tensor(np.ones(2, np.float32)), name=name)


class Net(nn.Cell):
    """A Cell that takes its attributes from the test."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)

    def construct(self, x: Tensor) -> Tensor:
        return x


class Wrapper(nn.Cell):
    """A Cell that leaves the names below it alone."""

    def __init__(self, network: nn.Cell) -> None:
        super().__init__(auto_prefix=False)
        self.network = network


def names(cell: nn.Cell) -> list[str]:
    return [p.name for p in cell.get_parameters()]


def test_a_nameless_parameter_takes_the_name_of_its_attribute() -> None:
    """Page, rule 1: "the default name is its variable name"."""
    net = Net(param_a=parameter("name_a"), param_b=parameter())
    assert (net.param_a.name, net.param_b.name) == ("name_a", "param_b")


def test_a_second_attribute_for_the_same_parameter_changes_nothing() -> None:
    shared = parameter()
    net = Net(first=shared, second=shared)
    assert shared.name == "first"
    assert names(net) == ["first"]


def test_nameless_members_of_a_tuple_are_numbered() -> None:
    """Page, rule 2: "will give it a unique name", Parameter$1 and Parameter$2."""
    net = Net(params=(parameter(), parameter()))
    assert [p.name for p in net.params] == ["Parameter$1", "Parameter$2"]
    assert type(net.params) is tuple


def test_containers_of_one_cell_share_their_numbers() -> None:
    net = Net(one=[parameter(), parameter("given")], two=(parameter(),))
    assert [p.name for p in (*net.one, *net.two)] == ["Parameter$1", "given", "Parameter$2"]


def test_each_cell_numbers_from_one() -> None:
    assert Net(params=[parameter()]).params[0].name == Net(params=[parameter()]).params[0].name == "Parameter$1"


def test_members_of_lists_are_not_listed_but_those_of_a_parameter_tuple_are() -> None:
    net = Net(listed=[parameter("a")], tupled=ParameterTuple([parameter("b"), parameter("c.d")]))
    assert names(net) == ["b", "c.d"]


def test_nameless_members_of_a_parameter_tuple_are_numbered() -> None:
    net = Net(params=ParameterTuple([parameter()]))
    assert names(net) == ["Parameter$1"]


def test_another_parameter_tuple_replaces_the_members_of_an_attribute() -> None:
    net = Net(params=ParameterTuple([parameter("a")]))
    net.params = ParameterTuple([parameter("b")])
    assert names(net) == ["b"]


def test_a_member_of_a_parameter_tuple_takes_no_attribute_of_its_name() -> None:
    net = Net(params=ParameterTuple([parameter("rate")]))
    net.rate = 0.5
    assert (net.rate, names(net)) == (0.5, ["rate"])
    outer = Net(inner=Net(child=net))
    assert names(outer) == ["inner.child.rate"]


@pytest.mark.parametrize("kind", [list, tuple])
def test_two_members_of_one_name_are_refused(kind: type) -> None:
    """Page, rule 3: "its name 'name_a' already exists"."""
    with pytest.raises(ValueError, match="its name 'name_a' already exists"):
        Net(params=kind([parameter("name_a"), parameter("name_a")]))


def test_members_of_two_lists_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="its name 'name_a' already exists"):
        Net(one=[parameter("name_a")], two=[parameter("name_a")])


def test_a_parameter_tuple_refuses_two_of_one_name() -> None:
    with pytest.raises(ValueError, match="its name 'name_a' already exists"):
        ParameterTuple([parameter("name_a"), parameter("name_a")])


def test_two_attributes_of_one_name_are_refused_when_the_names_are_checked() -> None:
    net = Net(one=parameter("name_a"), two=parameter("name_a"))
    with pytest.raises(ValueError, match="its name 'name_a' already exists"):
        net.check_names()


def test_an_attribute_and_a_list_member_of_one_name_are_refused_at_the_call() -> None:
    """Page, rule 3, for an attribute and a member of a tuple."""
    net = Net(param_a=parameter("name_a"), params=(parameter("name_a"), parameter()))
    with pytest.raises(ValueError, match="its name 'name_a' already exists"):
        net(Tensor([1.0]))


def test_the_same_parameter_several_times_is_no_duplicate() -> None:
    """Page, rule 4: "will not throw an exception"."""
    shared = parameter("name_a")
    net = Net(one=shared, params=(shared, shared), more=[shared])
    net.check_names()
    assert names(net) == ["name_a"]


def test_nesting_names_by_path_and_the_path_wins_over_a_given_name() -> None:
    inner = Net(weight=parameter(), bias=parameter("given"))
    layer = Net(inner=inner, w=parameter())
    net = Net(layer1=layer)
    assert names(net) == ["layer1.w", "layer1.inner.weight", "layer1.inner.bias"]


def test_a_given_name_stays_in_the_outermost_cell() -> None:
    assert names(Net(weight=parameter("w"))) == ["w"]


def test_numbered_members_are_named_by_path_too() -> None:
    net = Net(one=Net(params=[parameter()]), two=Net(params=[parameter()]))
    assert net.one.params[0].name == "one.Parameter$1"
    net.check_names()


def test_a_wrapper_without_auto_prefix_keeps_names() -> None:
    assert names(Wrapper(Net(layer=Net(w=parameter())))) == ["layer.w"]


def test_a_shared_cell_is_listed_once_under_its_last_name() -> None:
    shared = Net(w=parameter())
    assert names(Net(first=shared, second=shared)) == ["second.w"]


def test_a_parameter_of_two_cells_takes_the_last_name() -> None:
    shared = parameter("w")
    assert names(Net(one=Net(w=shared), two=Net(v=shared))) == ["two.v"]


def test_containers_name_by_position() -> None:
    cells = nn.SequentialCell(Net(weight=parameter()), Net(), Net(bias=parameter()))
    assert names(cells) == ["0.weight", "2.bias"]
    assert names(Net(body=cells)) == ["body.0.weight", "body.2.bias"]


def test_a_cell_added_to_a_nested_container_is_named_by_its_whole_path() -> None:
    net = Net(body=nn.CellList([Net(w=parameter())]))
    net.body.append(Net(w=parameter()))
    assert names(net) == ["body.0.w", "body.1.w"]


def test_update_parameters_name_puts_a_prefix_before_every_path() -> None:
    net = Net(layer=Net(w=parameter()))
    net.update_parameters_name("model.")
    assert names(net) == ["model.layer.w"]


# --- attributes ---


def test_another_parameter_replaces_the_one_of_an_attribute() -> None:
    net, new = Net(w=parameter()), parameter()
    net.w = new
    assert net.w is new
    assert names(net) == ["w"]


def test_a_tensor_sets_the_data_of_the_parameter_of_an_attribute() -> None:
    net = Net(w=parameter())
    held = net.w
    net.w = Tensor(np.zeros(2, np.float32))
    assert net.w is held
    assert held.asnumpy().tolist() == [0, 0]


def test_none_empties_an_attribute() -> None:
    net = Net(w=parameter())
    net.w = None
    assert net.w is None
    assert names(net) == []


def test_other_values_do_not_fit_into_the_attribute_of_a_parameter() -> None:
    net = Net(w=parameter())
    with pytest.raises(TypeError, match="attribute 'w' of Net holds a Parameter"):
        net.w = 3


def test_a_parameter_needs_a_free_attribute() -> None:
    with pytest.raises(TypeError, match="holds 3 already"):
        setattr(Net(w=3), "w", parameter())  # noqa: B010 - the attribute is not declared


def test_assigning_before_the_base_is_initialised_is_an_attribute_error() -> None:
    class Hasty(nn.Cell):
        def __init__(self) -> None:
            self.w = parameter()

    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\) before"):
        Hasty()


@pytest.mark.parametrize("name", ["", "a.b", "training", "other"])
def test_insert_param_to_cell_refuses_names_that_are_empty_dotted_or_taken(name: str) -> None:
    with pytest.raises(KeyError):
        Net(other=1).insert_param_to_cell(name, parameter())


def test_insert_param_to_cell_refuses_other_things() -> None:
    wrong: Any = np.ones(2)
    with pytest.raises(TypeError, match="takes a Parameter, not ndarray"):
        Net().insert_param_to_cell("w", wrong)


def test_insert_param_to_cell_names_the_nameless_only() -> None:
    net = Net()
    net.insert_param_to_cell("w", parameter())
    net.insert_param_to_cell("v", parameter("given"))
    assert names(net) == ["w", "given"]


def test_insert_child_to_cell_holds_a_cell_under_a_free_name() -> None:
    net = Net(other=1)
    net.insert_child_to_cell("layer", Net(w=parameter()))
    assert [name for name, _ in net.parameters_and_names()] == ["layer.w"]
    for name in ("other", "", "a.b"):
        with pytest.raises(CellAttributeError, match="empty, has a dot, or is taken"):
            net.insert_child_to_cell(name, Net())


def test_an_emptied_parameter_keeps_its_name_from_cells() -> None:
    net = Net(w=parameter())
    net.w = None
    with pytest.raises(CellAttributeError, match="is a Parameter's, though empty"):
        net.w = Net()
    del net.w
    net.w = Net()


def test_deleting_an_attribute_lets_its_parameters_go() -> None:
    net = Net(w=parameter(), layer=Net(v=parameter()))
    del net.w
    del net.layer
    assert names(net) == []
    with pytest.raises(AttributeError, match="Net has no attribute 'w'"):
        _ = net.w


def test_a_cell_takes_the_place_of_what_an_attribute_held() -> None:
    net = nn.Cell()
    net.step = abs
    net.step = nn.ReLU()
    assert [name for name, _ in net.name_cells().items()] == ["step"]
