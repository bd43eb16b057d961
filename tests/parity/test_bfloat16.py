"""bfloat16 against PyTorch's, on one device and cut: ops, mixed precision training, first values, checkpoints."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.common.initializer import initializer
from simpar.parallel import full_tensor

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
EPSILON = 2.0**-8  # half the distance of neighbours, from 1 on
RNG = np.random.default_rng(2)
X, Y = (RNG.standard_normal((8, 16)).astype("f4") for _ in range(2))


def in_torch(array: NDArray[Any]) -> Any:
    return torch.tensor(array).to(torch.bfloat16).requires_grad_()


def floats(x: Any) -> NDArray[Any]:
    return x.detach().float().numpy() if isinstance(x, torch.Tensor) else x.asnumpy().astype("f4")


CASES = {
    "matmul": (lambda x, y: ops.matmul(x, y.T), lambda x, y: x @ y.T),
    "add": (lambda x, y: x + y, lambda x, y: x + y),
    "scale": (lambda x, y: x * 0.3 - 1, lambda x, y: x * 0.3 - 1),
    "divide": (lambda x, y: x / (ops.abs(y) + 1), lambda x, y: x / (y.abs() + 1)),
    "tanh": (lambda x, y: ops.tanh(x), lambda x, y: x.tanh()),
    "gelu": (
        lambda x, y: ops.gelu(x, approximate="tanh"),
        lambda x, y: torch.nn.functional.gelu(x, approximate="tanh"),
    ),
    "softmax": (lambda x, y: ops.softmax(x, -1), lambda x, y: x.softmax(-1)),
    "mean": (lambda x, y: x.mean(1), lambda x, y: x.mean(1)),
    "sum": (lambda x, y: (x * y).sum(0), lambda x, y: (x * y).sum(0)),
    "layer_norm": (
        lambda x, y: ops.layer_norm(x, (16,), y[0], y[1], 1e-5),
        lambda x, y: torch.nn.functional.layer_norm(x, (16,), y[0], y[1], 1e-5),
    ),
    "slices": (lambda x, y: ops.concat((x[:, 4:], y[:, ::2]), 1), lambda x, y: torch.cat((x[:, 4:], y[:, ::2]), 1)),
    "maximum": (lambda x, y: ops.maximum(x, y), lambda x, y: torch.maximum(x, y)),
}


@pytest.mark.parametrize("name", CASES)
def test_an_op_and_its_gradient_are_those_of_torch(name: str) -> None:
    ours, theirs = CASES[name]
    x, y = Tensor(X, ms.bfloat16), Tensor(Y, ms.bfloat16)
    made, expected = ours(x, y), theirs(in_torch(X), in_torch(Y))
    assert made.dtype == ms.bfloat16
    np.testing.assert_allclose(floats(made), floats(expected), rtol=2 * EPSILON, atol=2 * EPSILON)
    weights = RNG.standard_normal(made.shape).astype("f4")
    found = ms.grad(lambda x, y: (ours(x, y) * Tensor(weights, ms.bfloat16)).sum(), (0, 1))(x, y)
    leaves = in_torch(X), in_torch(Y)
    (theirs(*leaves) * torch.tensor(weights).to(torch.bfloat16)).sum().backward()
    for own, leaf in zip(found, leaves, strict=True):
        wanted = np.zeros_like(X) if leaf.grad is None else floats(leaf.grad)
        assert own.dtype == ms.bfloat16
        np.testing.assert_allclose(floats(own), wanted, rtol=8 * EPSILON, atol=8 * EPSILON * np.abs(wanted).max())


def test_a_cast_rounds_to_the_nearest_even_as_torch_does() -> None:
    values = np.array([1.00390625, 1.01171875, -3.3e38, 1e-40, np.inf, np.nan, 65504.5, 3.4e38], "f4")
    made = ops.cast(Tensor(values), ms.bfloat16)
    expected = torch.tensor(values).to(torch.bfloat16)
    np.testing.assert_array_equal(made.asnumpy().view("u2")[:5], expected.view(torch.uint16).numpy()[:5])
    np.testing.assert_array_equal(floats(made), floats(expected))
    assert ops.cast(made, ms.float32).dtype == ms.float32


def test_types_meet_as_in_mindspore() -> None:
    half = Tensor([1.0], ms.bfloat16)
    assert (half * Tensor([2], ms.int32)).dtype == (half + 1.5).dtype == ms.bfloat16
    assert (half * Tensor([2.0])).dtype == (half + Tensor([1.0], ms.float16)).dtype == ms.float32
    assert (str(ms.bfloat16), ms.bfloat16.itemsize, half.nbytes, half.item()) == ("BFloat16", 2, 2, 1.0)
    assert half.float().dtype == ms.float32
    ones: Any = Tensor([1.0])
    assert ones.bfloat16().dtype == ms.bfloat16


class Net(nn.Cell):
    """Two layers with a norm between them; its cuts are of columns, then of rows."""

    def __init__(self, n: int, dtype: Any) -> None:
        super().__init__()
        self.up = Parameter(initializer("normal", (16, 32), dtype), name="up")
        self.down = Parameter(initializer("xavier_uniform", (32, 4), dtype), name="down")
        self.norm = nn.LayerNorm((32,), dtype=dtype)
        self.one = ops.MatMul().shard(((2, 1), (1, n // 2))) if n > 1 else ops.MatMul()
        self.two = ops.MatMul().shard(((2, n // 2), (n // 2, 1))) if n > 1 else ops.MatMul()

    def construct(self, x: Tensor) -> Tensor:
        return self.two(ops.gelu(self.norm(self.one(x, self.up))), self.down)


def train(n: int, mixed: bool, parallel_optimizer: bool = False, steps: int = 10) -> Any:
    """Return the first weights and the losses of a small net: wholly bfloat16, or with float32 weights and loss."""
    ms.set_seed(5)
    if n > 1:
        shared = {"parallel_optimizer_config": {"parallel_optimizer_threshold": 0}} if parallel_optimizer else {}
        ms.set_auto_parallel_context(
            parallel_mode="semi_auto_parallel", full_batch=True, enable_parallel_optimizer=parallel_optimizer, **shared
        )
    net = Net(n, ms.float32 if mixed else ms.bfloat16)
    if mixed:
        net = ms.amp.auto_mixed_precision(net, "O2", ms.bfloat16)
    optimizer = nn.Momentum(net.trainable_params(), 0.05, 0.9)

    def loss(x: Tensor, y: Tensor) -> Tensor:
        error = net(x).astype(ms.float32) - y
        return (error * error).mean()

    with_gradients = ms.value_and_grad(loss, None, net.trainable_params())

    @ms.jit
    def step(x: Tensor, y: Tensor) -> Tensor:
        value, gradients = with_gradients(x, y)
        optimizer(gradients)
        return value

    x = Tensor(X) if mixed else Tensor(X, ms.bfloat16)
    losses, first = [float(step(x, Tensor(Y[:, :4])).item())], None
    losses += [float(step(x, Tensor(Y[:, :4])).item()) for _ in range(steps - 1)]
    first = {p.name: full_tensor(p).asnumpy() for p in net.trainable_params()}
    return losses, first


@pytest.mark.parametrize("sharded_states", [False, True])
@pytest.mark.parametrize("mixed", [True, False])
def test_training_cut_is_training_on_one_device(mixed: bool, sharded_states: bool) -> None:
    alone, weights = train(1, mixed)
    assert alone[-1] < 0.5 * alone[0]
    for losses, held in run_threads(4, train, 4, mixed, sharded_states):
        np.testing.assert_allclose(losses, alone, rtol=4 * EPSILON)
        for name, whole in weights.items():
            assert held[name].dtype == (np.float32 if mixed else ms.bfloat16.numpy)
            near = 8 * EPSILON * float(np.abs(whole).max())
            np.testing.assert_allclose(held[name].astype("f4"), whole.astype("f4"), rtol=8 * EPSILON, atol=near)


def test_mixed_precision_training_is_that_of_torch() -> None:
    losses, _ = train(1, mixed=True)
    ms.set_seed(5)
    net = Net(1, ms.float32)
    up, down, gain, shift = (torch.tensor(p.asnumpy().copy(), requires_grad=True) for p in net.trainable_params())
    optimizer, found = torch.optim.SGD([up, down, gain, shift], 0.05, 0.9), list[float]()
    for _ in losses:
        half = (torch.tensor(X).bfloat16() @ up.bfloat16()).float()
        inner = torch.nn.functional.layer_norm(half, (32,), gain, shift, 1e-5)  # O2 keeps norms in float32
        made = torch.nn.functional.gelu(inner, approximate="tanh").bfloat16() @ down.bfloat16()
        loss = ((made.float() - torch.tensor(Y[:, :4])) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    np.testing.assert_allclose(losses, found, rtol=4 * EPSILON)


@pytest.mark.parametrize("init", ["normal", "xavier_uniform", "he_normal", "truncated_normal", "ones"])
def test_first_values_are_bit_equal_under_every_cut(init: str) -> None:
    def first(cut: tuple[int, int]) -> Any:
        ms.set_seed(1)
        if cut != (1, 1):
            ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
        weight = Parameter(initializer(init, (8, 12), ms.bfloat16), name="w")
        net = ops.MatMul().shard(((1, cut[0]), cut)) if cut != (1, 1) else ops.MatMul()
        ms.jit(lambda x: net(x, weight))(Tensor(np.ones((4, 8)), ms.bfloat16))
        return full_tensor(weight).asnumpy()

    whole = first((1, 1))
    for cut in ((4, 1), (2, 2), (1, 4)):
        for made in run_threads(4, first, cut):
            np.testing.assert_array_equal(made.view("u2"), whole.view("u2"))


@pytest.mark.parametrize("ending", ["safetensors", "ckpt"])
def test_a_checkpoint_keeps_the_type_and_the_bits(tmp_path: Path, ending: str) -> None:
    kept = Parameter(Tensor(X, ms.bfloat16), name="w")
    path = str(tmp_path / f"net.{ending}")
    ms.save_checkpoint([{"name": "w", "data": kept}], path, format=ending)
    found = ms.load_checkpoint(path, format=ending)["w"]
    assert found.dtype == ms.bfloat16
    np.testing.assert_array_equal(found.asnumpy().view("u2"), kept.asnumpy().view("u2"))


def test_torch_reads_what_was_saved(tmp_path: Path) -> None:
    load_file = pytest.importorskip("safetensors.torch").load_file
    ms.save_checkpoint(
        [{"name": "w", "data": Tensor(X, ms.bfloat16)}], str(tmp_path / "net.safetensors"), format="safetensors"
    )
    found = load_file(tmp_path / "net.safetensors")["w"]
    assert found.dtype == torch.bfloat16
    np.testing.assert_array_equal(floats(found), floats(torch.tensor(X).bfloat16()))
