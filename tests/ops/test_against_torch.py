"""Functions and their gradients, traced and differentiated, against PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simpar import ops
from simpar.autodiff import adjoint
from simpar.graph import Graph, Trace, Value, lookup, tracing
from simpar.tensor import Tensor

torch = pytest.importorskip("torch")

Array = NDArray[Any]
Function = Callable[..., Any]


def gradients_of(function: Function, arrays: list[Array]) -> tuple[Array, list[Array]]:
    """Trace a function and its gradients, and compute the graph node by node."""
    trace = Trace()
    with tracing(trace):
        values = [trace.argument(a.shape, Tensor(a).dtype, f"x{i}") for i, a in enumerate(arrays)]
        out = function(*map(Tensor.wrap, values))
        made = adjoint(trace, 0, [out], values)
        graph = trace.graph([trace.bind(t.operand()) for t in (out, *made)])
    result, *gradients = compute(graph, arrays)
    return result, gradients


def compute(graph: Graph, arrays: list[Array]) -> list[Array]:
    held: dict[Value, Array] = {a.value: x for a, x in zip(graph.arguments, arrays, strict=True)}
    held.update((c.value, c.array) for c in graph.constants)
    for node in graph.nodes:
        kernel = lookup(node.op).kernel
        assert kernel is not None
        results = kernel(*(held[v] for v in node.inputs), **node.attrs)
        held.update(zip(node.outputs, results if isinstance(results, tuple) else (results,), strict=True))
    return [held[v] for v in graph.outputs]


def torch_gradients_of(function: Function, arrays: list[Array]) -> tuple[Array, list[Array]]:
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    out = function(*tensors)
    out.backward(torch.ones_like(out))
    return out.detach().numpy(), [t.grad.numpy() for t in tensors]


def random(*shapes: tuple[int, ...], low: float = -1.0) -> list[Array]:
    rng = np.random.default_rng(3)
    return [rng.uniform(low, 1.0, s).astype(np.float32) for s in shapes]


CASES: list[tuple[str, Function, Function, list[Array]]] = [
    ("arithmetic", lambda x, y: (x + 2) * y - x / 3, lambda x, y: (x + 2) * y - x / 3, random((4, 6), (6,))),
    ("stretched", lambda x, y: x * y, lambda x, y: x * y, random((4, 1), (3, 1, 5))),
    ("quotient", lambda x, y: 1 / x - y / x, lambda x, y: 1 / x - y / x, random((4, 6), (1, 6), low=0.5)),
    ("power", lambda x: x**3 + x**2 + 2**x, lambda x: x**3 + x**2 + 2**x, random((4, 6), low=0.3)),
    ("exp log", lambda x: ops.log(ops.exp(x) + 1), lambda x: torch.log(torch.exp(x) + 1), random((4, 6))),
    ("sqrt", lambda x: ops.sqrt(x) + ops.rsqrt(x), lambda x: torch.sqrt(x) + torch.rsqrt(x), random((5,), low=0.3)),
    ("abs", lambda x: ops.abs(x) + ops.sin(x), lambda x: torch.abs(x) + torch.sin(x), random((4, 6))),
    ("maximum", ops.maximum, lambda x, y: torch.maximum(x, y), random((4, 6), (6,))),
    ("minimum", ops.minimum, lambda x, y: torch.minimum(x, y), random((4, 6), (4, 1))),
    ("clamp", lambda x: ops.clamp(x, -0.5, 0.5), lambda x: torch.clamp(x, -0.5, 0.5), random((4, 6))),
    ("where", lambda x, y: ops.where(x > y, x, y * 2), lambda x, y: torch.where(x > y, x, y * 2), random((4, 6), (6,))),
    ("relu", ops.relu, lambda x: torch.relu(x), random((4, 6))),
    ("sigmoid", ops.sigmoid, lambda x: torch.sigmoid(x), random((4, 6))),
    ("tanh", ops.tanh, lambda x: torch.tanh(x), random((4, 6))),
    ("silu", ops.silu, lambda x: torch.nn.functional.silu(x), random((4, 6))),
    ("gelu", ops.gelu, lambda x: torch.nn.functional.gelu(x), random((4, 6))),
    (
        "gelu by tanh",
        lambda x: ops.gelu(x, approximate="tanh"),
        lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
        random((4, 6)),
    ),
    ("sum", lambda x: ops.sum(x * x, 1), lambda x: torch.sum(x * x, 1), random((2, 3, 4))),
    ("mean", lambda x: ops.mean(x * x, (0, 2), True), lambda x: torch.mean(x * x, (0, 2), True), random((2, 3, 4))),
    ("max", lambda x: ops.amax(x, 1), lambda x: torch.amax(x, 1), random((2, 3, 4))),
    ("min", lambda x: ops.amin(x, (0, 1)), lambda x: torch.amin(x, (0, 1)), random((2, 3, 4))),
    ("prod", lambda x: ops.prod(x, 1), lambda x: torch.prod(x, 1), random((3, 4), low=0.5)),
    ("cumsum", lambda x: ops.cumsum(x, 1) * x, lambda x: torch.cumsum(x, 1) * x, random((3, 4))),
    ("matmul", ops.matmul, lambda x, y: x @ y, random((4, 6), (6, 3))),
    ("matmul of a batch by one", ops.matmul, lambda x, y: x @ y, random((2, 3, 4, 6), (6, 3))),
    ("matmul of batches", ops.matmul, lambda x, y: x @ y, random((2, 1, 4, 6), (3, 6, 3))),
    ("matmul of one by a batch", ops.matmul, lambda x, y: x @ y, random((4, 6), (2, 6, 3))),
    ("matmul of vectors", ops.matmul, lambda x, y: x @ y, random((6,), (6,))),
    ("matmul by a vector", ops.matmul, lambda x, y: x @ y, random((2, 4, 6), (6,))),
    ("matmul of a vector", ops.matmul, lambda x, y: x @ y, random((6,), (2, 6, 3))),
    ("attention", lambda q, k: q @ k.mT, lambda q, k: q @ k.mT, random((2, 3, 4, 5), (2, 3, 4, 5))),
    (
        "transposed products",
        lambda x, y: ops.MatMul(transpose_a=True, transpose_b=True)(x, y),
        lambda x, y: x.T @ y.T,
        random((6, 4), (3, 6)),
    ),
    ("bias", ops.bias_add, lambda x, b: x + b[:, None], random((2, 3, 4), (3,))),
    (
        "shapes",
        lambda x: ops.transpose(x.reshape(2, 2, 6), (2, 0, 1)).expand_dims(1).squeeze(1) ** 2,
        lambda x: x.reshape(2, 2, 6).permute(2, 0, 1) ** 2,
        random((4, 6)),
    ),
    ("slices", lambda x: x[1:, ::2, 3] * x[:-1, ::2, 0], lambda x: x[1:, ::2, 3] * x[:-1, ::2, 0], random((3, 4, 5))),
    (
        "concat",
        lambda x, y: ops.concat([x, y, x], 1) ** 2,
        lambda x, y: torch.cat([x, y, x], 1) ** 2,
        random((2, 3), (2, 1)),
    ),
    ("stack", lambda x, y: ops.stack([x, y], 1) ** 2, lambda x, y: torch.stack([x, y], 1) ** 2, random((2, 3), (2, 3))),
    (
        "split",
        lambda x: ops.split(x, 2, 1)[0] * ops.split(x, (2, 2, 1), 1)[1],
        lambda x: torch.split(x, 2, 1)[0] * torch.split(x, (2, 2, 1), 1)[1],
        random((3, 5)),
    ),
    ("tile", lambda x: ops.tile(x, (2, 1, 3)) ** 2, lambda x: torch.tile(x, (2, 1, 3)) ** 2, random((2, 3))),
    (
        "broadcast",
        lambda x: ops.broadcast_to(x, (4, 2, 3)) ** 2,
        lambda x: torch.broadcast_to(x, (4, 2, 3)) ** 2,
        random((2, 1)),
    ),
    ("pad", lambda x: ops.pad(x, (1, 2)) ** 2, lambda x: torch.nn.functional.pad(x, (1, 2)) ** 2, random((2, 3))),
    ("stop", lambda x: x * ops.stop_gradient(x), lambda x: x * x.detach(), random((2, 3))),
]


@pytest.mark.parametrize(("function", "reference", "arrays"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_value_and_gradient_agree_with_torch(function: Function, reference: Function, arrays: list[Array]) -> None:
    value, gradients = gradients_of(function, arrays)
    expected, expected_gradients = torch_gradients_of(reference, arrays)
    np.testing.assert_allclose(value, expected, rtol=2e-5, atol=1e-6)
    for got, wanted in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_a_mixed_product_has_gradients_in_the_types_of_its_operands(dtype: str) -> None:
    x, y = random((3, 4), (4, 2))
    value, (dx, dy) = gradients_of(lambda a, b: a @ b, [x.astype(dtype), y])
    assert value.dtype == np.result_type(dtype, np.float32)
    assert (dx.dtype, dy.dtype) == (np.dtype(dtype), np.float32)
