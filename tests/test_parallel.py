"""``simpar.parallel``: layouts with names, cuts of functions, options of one network."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Layout, Parameter, Tensor, layout, mint, nn, ops, parallel
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from simpar.compile import compile_function
from simpar.context import Context, entered
from simpar.parallel import shard
from simpar.parallel.auto_parallel import AutoParallel

DEVICES = Layout((2, 2, 2), ("dp", "sp", "mp"))


def test_names_become_device_axes_counted_from_the_right() -> None:
    made = DEVICES("dp", ("sp", "mp"), "None")
    assert made.to_layout() == layout.Layout((2, 2, 2), (2, (1, 0), layout.NOT_CUT))


def test_to_dict_has_the_members_of_mindspore() -> None:
    assert DEVICES("mp", "None").to_dict() == {
        "device_matrix": (2, 2, 2),
        "tensor_map": (0, -1),
        "interleaved_parallel": False,
        "alias_name": ("dp", "sp", "mp"),
        "rank_list": [0, 1, 2, 3, 4, 5, 6, 7],
    }


def test_a_rank_list_reorders_the_ranks() -> None:
    made = Layout((2, 2), ("a", "b"), [0, 2, 1, 3])("a", "None")
    assert made.to_layout().rank_list == (0, 2, 1, 3)
    assert made.to_dict()["rank_list"] == [0, 2, 1, 3]


def test_a_call_makes_a_new_object_and_leaves_the_first_alone() -> None:
    one, two = DEVICES("dp"), DEVICES("dp")
    assert one is not DEVICES
    assert one != two  # equality is identity
    with pytest.raises(ValueError, match="Call it with a name"):
        DEVICES.to_dict()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([2, 2], ("a", "b")), TypeError, "device_matrix"),
        (((2, 2), ["a", "b"]), TypeError, "alias_name"),
        (((2, 2.0), ("a", "b")), TypeError, "2.0"),
        (((2, True), ("a", "b")), TypeError, "True"),
        (((2, 2), ("a", 1)), TypeError, "1"),
        (((2, 2), ("a",)), ValueError, "differ in length"),
        (((2, 2), ("a", "a")), ValueError, "twice"),
        (((2, 2), ("a", "")), ValueError, "no name"),
        (((2, 2), ("a", "None")), ValueError, "no name"),
        (((2, 0), ("a", "b")), ValueError, "at least 1"),
        (((2, 2), ("a", "b"), (0, 1, 2, 3)), TypeError, "rank_list"),
        (((2, 2), ("a", "b"), [0, 1]), ValueError, "4 different ranks"),
        (((2, 2), ("a", "b"), [0, 1, 1, 2]), ValueError, "4 different ranks"),
        (((2, 2), ("interleaved_parallel", "b")), ValueError, "last"),
    ],
)
def test_what_is_no_device_matrix_is_refused(arguments: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Layout(*arguments)


@pytest.mark.parametrize(
    ("entries", "error"),
    [(("tp",), ValueError), (("dp", "dp"), ValueError), ((("dp", "sp"), "sp"), ValueError), ((0,), TypeError)],
)
def test_what_is_no_tensor_map_is_refused(entries: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        DEVICES(*entries)


def test_slices_of_one_device_that_take_turns_are_one_slice() -> None:
    made = Layout((2, 4, 2), ("dp", "mp", "interleaved_parallel"))(("dp", "interleaved_parallel"), "mp")
    assert made.to_dict()["interleaved_parallel"] is True
    assert made.to_layout() == Layout((2, 4), ("dp", "mp"))("dp", "mp").to_layout()
    assert made.to_layout().turns == (2, 1)
    ranked = Layout((2, 2), ("dp", "interleaved_parallel"), [2, 3, 0, 1])(("dp", "interleaved_parallel"))
    assert ranked.to_layout().ranks == (1, 0)


def test_none_among_names_cuts_nothing() -> None:
    assert (
        DEVICES(("dp", "None"), ("None", "None")).to_dict()["tensor_map"]
        == DEVICES("dp", "None").to_dict()["tensor_map"]
    )


class Product(nn.Cell):
    def __init__(self, strategy: Any = None) -> None:
        super().__init__()
        self.w = Parameter(initializer("normal", (8, 4), ms.float32), name="w")
        self.product = ops.MatMul()
        if strategy is not None:
            self.product.shard(strategy)

    def construct(self, x: Tensor) -> Tensor:
        return self.product(x, self.w).sum()


X = np.arange(32, dtype=np.float32).reshape(4, 8)


def semi_auto() -> None:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)


def plan_of(strategy: Any) -> str:
    ms.set_seed(1)
    semi_auto()
    net = Product(strategy)
    return compile_function(net.construct, (Tensor(X),), net).plan.text


def test_a_primitive_takes_layouts_with_names_as_it_takes_numbers() -> None:
    devices = Layout((2, 2), ("dp", "mp"))
    named = (devices("dp", "None"), devices("None", "mp"))
    by_name = run_threads(4, plan_of, named)
    assert by_name == run_threads(4, plan_of, ((2, 1), (1, 2)))
    assert "[2, 2] [1, 0]" in by_name[0]


def test_a_strategy_of_layouts_must_be_a_tuple() -> None:
    with pytest.raises(TypeError):
        ops.MatMul().shard([DEVICES("dp", "None"), DEVICES("None", "mp")])


def sharded(_: int) -> tuple[float, float]:
    ms.set_seed(1)
    semi_auto()
    net = Product()
    devices = Layout((2, 2), ("dp", "mp"))
    return float(shard(net, (devices("dp", "mp"),))(Tensor(X))), float(shard(net.construct, ((4, 1),))(Tensor(X)))


def test_a_sharded_function_gives_what_it_gave() -> None:
    ms.set_seed(1)
    alone = float(Product()(Tensor(X)))
    for results in run_threads(4, sharded, 0):
        assert results == pytest.approx((alone, alone), rel=1e-5)


def planned(_: int) -> tuple[tuple[int, ...], float]:
    ms.set_seed(1)
    semi_auto()
    net = Product()
    loss = float(
        shard(net, ((1, 1),), parameter_plan={"self.w": Layout((2, 2), ("dp", "mp"))("mp", "None")})(Tensor(X))
    )
    return net.w.shape, loss


def test_a_parameter_plan_says_how_parameters_are_stored() -> None:
    ms.set_seed(1)
    alone, shape = float(Product()(Tensor(X))), Product().w.shape
    for held, loss in run_threads(4, planned, 0):
        assert held == (shape[0] // 2, shape[1])
        assert loss == pytest.approx(alone, rel=1e-5)


def test_a_parameter_plan_that_does_not_fit_says_so() -> None:
    with pytest.raises(ValueError, match="Choose a divisor of 8"):
        shard(Product(), ((1, 1),), parameter_plan={"w": (3, 1)})
    with pytest.warns(UserWarning, match="which is none of"):
        shard(Product(), ((1, 1),), parameter_plan={"v": (1, 1)})


# --- AutoParallel ---


def trained(with_context: bool) -> tuple[list[float], tuple[int, ...], str]:
    """Train three steps in semi_auto_parallel: by the context, or by AutoParallel."""
    ms.set_seed(1)
    if with_context:
        config = {"parallel_optimizer_threshold": 0}
        semi_auto()
        ms.set_auto_parallel_context(enable_parallel_optimizer=True, parallel_optimizer_config=config)
    net = Product(((2, 1), (1, 2)))
    optimizer = nn.Momentum(net.trainable_params(), 0.01, 0.9)
    gradients = ms.value_and_grad(net, None, net.trainable_params())

    @ms.jit
    def step(x: Tensor) -> Tensor:
        loss, grads = gradients(x)
        optimizer(grads)
        return loss

    run: Any = step
    if not with_context:
        run = AutoParallel(step, parallel_mode="semi_auto")
        run.dataset_strategy("full_batch")
        run.hsdp(threshold=0)
    losses = [float(run(Tensor(X))) for _ in range(3)]
    return losses, net.w.shape, ms.get_auto_parallel_context("parallel_mode")


def test_auto_parallel_does_what_the_context_does_and_leaves_the_context_alone() -> None:
    by_context, by_network = run_threads(4, trained, True), run_threads(4, trained, False)
    for (losses, shape, mode), (losses2, shape2, mode2) in zip(by_context, by_network, strict=True):
        assert losses == losses2
        assert shape == shape2 == (4, 2)
        assert (mode, mode2) == ("semi_auto_parallel", "stand_alone")


def function_stepped(strategy: Any = None) -> list[float]:
    net = Product(strategy)
    optimizer = nn.Momentum(net.trainable_params(), 0.01, 0.9)
    gradients = ms.value_and_grad(net, None, net.trainable_params())

    def step(x: Tensor) -> Tensor:
        loss, grads = gradients(x)
        optimizer(grads)
        return loss

    run: Any = AutoParallel(step)
    run.dataset_strategy("full_batch")
    return [float(run(Tensor(X))) for _ in range(3)]


def test_auto_parallel_makes_one_program_of_a_function() -> None:
    assert np.allclose(run_threads(4, function_stepped, ((2, 1), (1, 2))), run_threads(1, function_stepped), rtol=1e-5)


def test_auto_parallel_knows_its_modes() -> None:
    with pytest.raises(ValueError, match="semi_auto"):
        AutoParallel(Product(), parallel_mode="data_parallel")


def test_auto_parallel_checks_options_as_the_context_does() -> None:
    made = AutoParallel(Product())
    with pytest.raises(ValueError, match="level"):
        made.hsdp(optimizer_level="level9")
    with pytest.raises(TypeError):
        made.dataset_strategy([(1, 1)])  # pyright: ignore[reportArgumentType]


def stepped(inside: bool) -> tuple[list[float], tuple[int, ...], str]:
    """Train for a few steps under AutoParallel, around the whole step or around the network alone."""
    ms.set_seed(1)
    net = Product(((2, 1), (1, 2)))
    optimizer = nn.Momentum(net.trainable_params(), learning_rate=0.1, momentum=0.9)
    part = AutoParallel(net) if inside else net
    gradients = ms.value_and_grad(part, None, net.trainable_params())

    def step(x: Tensor) -> Tensor:
        loss, found = gradients(x)
        optimizer(found)
        return loss

    whole = ms.jit(step) if inside else AutoParallel(step)
    options: Any = part if inside else whole
    options.dataset_strategy("full_batch")
    options.hsdp(threshold=0)
    return [float(whole(Tensor(X))) for _ in range(3)], net.w.shape, ms.get_auto_parallel_context("parallel_mode")


def test_a_function_that_calls_auto_parallel_is_compiled_under_its_options() -> None:
    assert run_threads(4, stepped, True) == run_threads(4, stepped, False)


def test_options_that_change_reach_a_function_that_calls_auto_parallel() -> None:
    inner = AutoParallel(Product())
    outer: Any = ms.jit(lambda x: inner(x))

    def seen() -> Any:
        outer(Tensor(X))
        return [p.options.comm_fusion["openstate"] for p in programs_of(outer)]

    assert seen() == [True]
    inner.comm_fusion({"openstate": False})
    assert False in seen()


def programs_of(decorated: Any) -> list[Any]:
    """Return the programs that a function decorated with ``jit`` has kept."""
    kept = vars(decorated.__wrapped__)["_simpar_programs"]
    return [p for by_shape in kept.values() for held in by_shape.values() for p in held]


def test_two_parts_with_options_of_their_own_do_not_fit_one_program() -> None:
    one, two = AutoParallel(Product()), AutoParallel(Product())
    both: Any = ms.jit(lambda x: one(x) + two(x))
    with pytest.raises(RuntimeError, match="Give it one"):
        both(Tensor(X))


def test_auto_parallel_has_the_parameters_of_its_network() -> None:
    net = Product()
    assert AutoParallel(net).trainable_params() == [net.w]
    assert net.w.name == "w"


def test_a_dataset_strategy_may_be_layouts() -> None:
    with entered(Context()):
        layout = Layout((4, 2), ("dp", "mp"))("mp", "None")
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", device_num=8, dataset_strategy=(layout,))
        net = Product()
        net.compile(Tensor(X))
        held = net.parameter_layout_dict["x"]
        assert (held.full_shape, held.slice_shape) == ([2 * X.shape[0], X.shape[1]], list(X.shape))


def test_a_dataset_does_not_interleave() -> None:
    layout = Layout((4, 2), ("dp", "interleaved_parallel"))("dp", "None")
    with pytest.raises(ValueError, match="interleaved_parallel"):
        ms.set_auto_parallel_context(dataset_strategy=(layout,))


@pytest.mark.parametrize("mode", [0, 1])
def test_a_function_that_is_cut_takes_arguments_by_name(mode: int) -> None:
    def cut() -> list[float]:
        ms.set_context(mode=mode)
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        total = parallel.shard(mint.sum, in_strategy=((2, 1),))
        return parallel.full_tensor(total(Tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0, keepdim=True)).tolist()

    assert run_threads(2, cut) == [[[4.0, 6.0]]] * 2
