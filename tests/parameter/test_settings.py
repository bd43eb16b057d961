"""Settings and flags of a Parameter: defaults, what they take, and what they refuse."""

from typing import Any

import pytest

from simpar.context import GRAPH_MODE, PYNATIVE_MODE, set_context, set_ps_context
from simpar.errors import ModeError
from simpar.parameter import Parameter
from tests.parameter.making import CUTTING, OTHER_MODES, mode, ones

DEFAULTS = {
    "requires_grad": True,
    "layerwise_parallel": False,
    "parallel_optimizer": True,
    "comm_fusion": 1,
    "parallel_optimizer_comm_recompute": False,
    "cache_enable": False,
    "cache_shape": [],
    "key": -1,
    "is_init": False,
    "sliced": False,
    "unique": False,
    "inited_param": None,
    "requires_aggr": True,
    "push_weight_to_server": False,
    "pull_weight_from_server": False,
    "is_param_ps": False,
    "init_in_server": False,
}
FLAGS = (
    "requires_grad",
    "layerwise_parallel",
    "parallel_optimizer",
    "parallel_optimizer_comm_recompute",
    "cache_enable",
    "requires_aggr",
)


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_default(name: str, value: object) -> None:
    assert getattr(ones(1), name) == value


@pytest.mark.parametrize("name", FLAGS)
def test_flag_takes_bools_only(name: str) -> None:
    """Page: "property requires_grad: Return whether the parameter requires gradient" and the other flags."""
    made = ones(1)
    for value in (False, True):
        setattr(made, name, value)
        assert getattr(made, name) is value
    for value in (1, 0, None, "True"):
        with pytest.raises(TypeError, match=f"{name} is {value!r}.*give True or False"):
            setattr(made, name, value)


@pytest.mark.parametrize("name", ["is_init", "sliced", "unique"])
def test_mark_takes_anything(name: str) -> None:
    """Page: "Get the initialization status", "Get slice status", "whether the parameter is already unique or not"."""
    made = ones(1)
    for value in (True, 3, "yes"):
        setattr(made, name, value)
        assert getattr(made, name) == value


def test_inited_param_and_data_cannot_be_set() -> None:
    made: Any = ones(1)
    with pytest.raises(AttributeError):
        made.inited_param = made
    with pytest.raises(AttributeError):
        made.data = made


def test_key_is_a_whole_number() -> None:
    made = ones(1)
    made.key = 5
    assert made.key == 5
    for value in ("5", 5.0, True, None):
        with pytest.raises(TypeError, match="key"):
            made.key = value  # pyright: ignore[reportAttributeAccessIssue]


# --- comm_fusion ---


@pytest.mark.parametrize("index", [0, 1, 7])
def test_fusion_index_is_kept(index: int) -> None:
    """Page: "The value of fusion must be greater than or equal to 0"."""
    made = ones(1)
    made.comm_fusion = index
    assert made.comm_fusion == index
    assert made.spec().comm_fusion == index


def test_negative_fusion_index_is_refused() -> None:
    made = ones(1)
    with pytest.raises(
        ValueError, match=r"comm_fusion is -1; give 0 \(never fuse\) or the number of a group, 1 or more"
    ):
        made.comm_fusion = -1
    assert made.comm_fusion == 1


@pytest.mark.parametrize("index", [True, 1.0, "1", None])
def test_fusion_index_of_another_type_is_refused(index: Any) -> None:
    with pytest.raises(TypeError, match="comm_fusion"):
        ones(1).comm_fusion = index


@pytest.mark.parametrize("name", CUTTING)
def test_fusion_index_cannot_be_set_in_pynative_mode_where_programs_are_cut(name: str) -> None:
    """Page: "Only support in Ascend environment with Graph mode"; Ascend is not needed here."""
    mode(name)
    set_context(mode=PYNATIVE_MODE)
    made = ones(1)
    with pytest.raises(RuntimeError, match="PYNATIVE_MODE"):
        made.comm_fusion = 2
    set_context(mode=GRAPH_MODE)
    made.comm_fusion = 2


@pytest.mark.parametrize("name", OTHER_MODES)
def test_fusion_index_can_be_set_in_pynative_mode_elsewhere(name: str) -> None:
    mode(name)
    set_context(mode=PYNATIVE_MODE)
    made = ones(1)
    made.comm_fusion = 2
    assert made.comm_fusion == 2


# --- cache ---


@pytest.mark.parametrize("shape", [[2, 3], (2, 3)])
def test_cache_shape_reads_back_as_a_list(shape: Any) -> None:
    """Page: "Return the cache shape corresponding to the parameter if use cache"."""
    made = ones(4, 3)
    made.cache_shape = shape
    assert made.cache_shape == [2, 3]


@pytest.mark.parametrize("shape", [3, None, "23"])
def test_cache_shape_of_another_type_is_refused(shape: Any) -> None:
    with pytest.raises(TypeError, match="cache_shape"):
        ones(1).cache_shape = shape


def test_cached_parameter_of_a_worker_has_two_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MS_ROLE", "MS_WORKER")
    set_ps_context(enable_ps=True)
    flat, table = ones(3), ones(3, 2)
    flat.cache_enable = table.cache_enable = True
    table.name = "table"
    with pytest.raises(ModeError, match=r"shape \(3,\)"):
        flat.name = "table"


# --- servers ---


@pytest.mark.parametrize("role", ["MS_WORKER", "MS_PSERVER", "MS_SCHED"])
def test_server_settings_are_kept_in_parameter_server_mode(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page: "Set whether the trainable parameter is updated by parameter server"."""
    monkeypatch.setenv("MS_ROLE", role)
    set_ps_context(enable_ps=True)
    made = ones(2, 2)
    assert made.set_param_ps() is None
    assert (made.is_param_ps, made.init_in_server) == (True, False)


def test_embedding_table_can_be_initialized_on_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Page: "init_in_server (bool) - Whether trainable parameter [...] is initialized on server"."""
    monkeypatch.setenv("MS_ROLE", "MS_WORKER")
    set_ps_context(enable_ps=True)
    table = ones(2, 2, name="net.embedding_table")
    table.set_param_ps(init_in_server=True)
    assert table.init_in_server
    with pytest.raises(RuntimeError, match="embedding_table"):
        ones(2, 2).set_param_ps(init_in_server=True)
    with pytest.raises(TypeError, match="init_in_server"):
        table.set_param_ps(1)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("enable", "role"), [(False, "MS_WORKER"), (True, ""), (True, "MS_NOBODY")])
def test_server_settings_need_parameter_server_mode(enable: bool, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page: "It only works when a running task is in the parameter server mode"."""
    monkeypatch.setenv("MS_ROLE", role)
    set_ps_context(enable_ps=enable)
    with pytest.raises(RuntimeError, match="parameter server mode"):
        ones(1).set_param_ps()


def test_federated_settings_only_switch_one_way() -> None:
    """Page: set_param_fl "push_to_server", "pull_from_server", "requires_aggr"."""
    made = ones(1)
    read = lambda: (made.push_weight_to_server, made.pull_weight_from_server, made.requires_aggr)  # noqa: E731
    made.set_param_fl()
    assert read() == (False, False, True)
    assert made.set_param_fl(push_to_server=True, pull_from_server=True, requires_aggr=False) is None
    assert read() == (True, True, False)
    made.set_param_fl(False, False, True)
    assert read() == (True, True, False)


def test_spec_tells_a_plan_what_it_needs() -> None:
    made = Parameter([1.0], "w", requires_grad=False, layerwise_parallel=True, parallel_optimizer=False)
    made.parallel_optimizer_comm_recompute = True
    spec = made.spec()
    assert (spec.name, spec.requires_grad, spec.layerwise_parallel, spec.parallel_optimizer) == (
        "w",
        False,
        True,
        False,
    )
    assert (spec.comm_recompute, spec.state_of, spec.layout) == (True, None, None)
