"""Times the kernels of the network ops beside the plain numpy formula: ``python -m benchmarks.kernels``.

Prints the least CPU time of several runs of each, and their ratio; below 1 the kernel is faster. Kernels write into
``out``, as in a compiled program; formulas make what they need, as a user would write them.
"""

import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads

import numpy as np
from numpy.typing import NDArray

from simpar.graph import lookup
from simpar.ops import RECORDS

Array = NDArray[Any]
ROUNDS = 25


def seconds(run: Callable[[], Any]) -> float:
    """Return the least CPU time of several runs, after one that warms up."""
    run()
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def kernel_of(name: str, *operands: Array, **attrs: Any) -> Callable[[], Any]:
    """Return a run of an op's kernel that writes into arrays made before."""
    kernel = lookup(name).kernel
    assert kernel is not None, f"{name} is a collective"
    made = kernel(*operands, **attrs)
    return lambda: kernel(*operands, out=made, **attrs)


def compare(name: str, kernel: Callable[[], Any], formula: Callable[[], Any]) -> None:
    """Print one line."""
    ours, plain = seconds(kernel), seconds(formula)
    print(f"{name:44} {ours * 1e3:8.2f} ms   formula {plain * 1e3:8.2f} ms   ratio {ours / plain:5.2f}")


def rows(rng: np.random.Generator, count: int, length: int) -> None:
    """Compare softmax, layer normalization and cross entropy, and their gradients."""
    x, g = (rng.standard_normal((count, length)).astype("f4") for _ in range(2))
    gamma, beta = (rng.standard_normal(length).astype("f4") for _ in range(2))
    size = f"({count}, {length})"

    def softmax() -> Array:
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    y = softmax()
    compare(f"softmax {size}", kernel_of("softmax", x, axis=-1), softmax)
    compare(
        f"softmax_grad {size}",
        kernel_of("softmax_grad", g, y, axis=-1),
        lambda: y * (g - (g * y).sum(-1, keepdims=True)),
    )
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    rstd = 1 / np.sqrt(var + np.float32(1e-5))

    def layer_norm() -> Array:
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + np.float32(1e-5)) * gamma + beta

    def layer_norm_grad() -> tuple[Array, ...]:
        xhat, scaled = (x - mean) * rstd, g * gamma
        inner = (scaled * xhat).mean(-1, keepdims=True)
        return rstd * (scaled - scaled.mean(-1, keepdims=True) - xhat * inner), (g * xhat).sum(0), g.sum(0)

    attrs = {"begin_norm_axis": -1}
    compare(f"layer_norm {size}", kernel_of("layer_norm", x, gamma, beta, **attrs, epsilon=1e-5), layer_norm)
    compare(f"layer_norm_grad {size}", kernel_of("layer_norm_grad", g, x, gamma, mean, rstd, **attrs), layer_norm_grad)
    labels = rng.integers(0, length, count)

    def cross_entropy() -> tuple[Array, Array]:
        p = softmax()
        loss = -np.log(p[np.arange(count), labels])
        p[np.arange(count), labels] -= 1
        return loss, p

    compare(f"sparse_softmax_cross_entropy {size}", kernel_of("sparse_softmax_cross_entropy", x, labels), cross_entropy)


def updates(rng: np.random.Generator, count: int) -> None:
    """Compare the optimizers' updates."""
    p, m, v, g = (rng.random(count).astype("f4") for _ in range(4))
    scalars = [np.asarray(s, "f4") for s in (1e-3, 0.9, 0.99)]

    def momentum() -> tuple[Array, Array]:
        new = np.float32(0.9) * m + g
        return p - np.float32(1e-3) * new, new

    def adam() -> tuple[Array, ...]:
        new_m = np.float32(0.9) * m + np.float32(0.1) * g
        new_v = np.float32(0.999) * v + np.float32(0.001) * g * g
        return p - np.float32(1e-3) * new_m / (np.sqrt(new_v) + np.float32(1e-8)), new_m, new_v

    compare(f"momentum ({count},)", kernel_of("momentum", p, m, g, scalars[0]), momentum)
    compare(f"adam ({count},)", kernel_of("adam", p, m, v, g, *scalars), adam)


def tables(rng: np.random.Generator, count: int, length: int, numbers: int) -> None:
    """Compare gather and its gradient."""
    table, g = rng.random((count, length)).astype("f4"), rng.random((numbers, length)).astype("f4")
    ids = rng.integers(0, count, numbers)
    out = np.zeros_like(table)

    def scatter() -> None:
        out[...] = 0
        np.add.at(out, ids, g)

    size = f"({count}, {length}) x {numbers}"
    compare(f"gather {size}", kernel_of("gather", table, ids, axis=0), lambda: table[ids])
    compare(f"gather_grad {size}", kernel_of("gather_grad", g, ids, rows=count, axis=0), scatter)


def images(rng: np.random.Generator, shape: tuple[int, int, int, int], channels: int) -> None:
    """Compare the convolution with a sum of one product per kernel place, and pooling with a view of its windows."""
    n, c, h, w = shape
    x, weight = rng.random(shape).astype("f4"), rng.random((channels, c, 3, 3)).astype("f4")
    attrs: dict[str, Any] = {"stride": (1, 1), "pads": (1, 1, 1, 1), "dilation": (1, 1), "group": 1}
    g = rng.random((n, channels, h, w)).astype("f4")

    def conv() -> Array:
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        out = np.zeros((n, channels, h, w), "f4")
        for i in range(3):
            for j in range(3):
                out += np.matmul(weight[:, :, i, j], padded[:, :, i : i + h, j : j + w].reshape(n, c, -1)).reshape(
                    out.shape
                )
        return out

    def grad_input() -> Array:
        padded = np.zeros((n, c, h + 2, w + 2), "f4")
        for i in range(3):
            for j in range(3):
                each = np.matmul(weight[:, :, i, j].T, g.reshape(n, channels, -1))
                padded[:, :, i : i + h, j : j + w] += each.reshape(n, c, h, w)
        return padded[:, :, 1:-1, 1:-1]

    def grad_weight() -> Array:
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
        return np.tensordot(g, windows, ((0, 2, 3), (0, 2, 3)))

    size = f"{shape} -> {channels}"
    compare(f"conv2d {size}", kernel_of("conv2d", x, weight, **attrs), conv)
    compare(f"conv2d_grad_input {size}", kernel_of("conv2d_grad_input", g, weight, size=(h, w), **attrs), grad_input)
    compare(f"conv2d_grad_weight {size}", kernel_of("conv2d_grad_weight", g, x, kernel=(3, 3), **attrs), grad_weight)
    pool = {"kernel": (2, 2), "stride": (2, 2), "pads": (0, 0, 0, 0)}
    compare(
        f"max_pool {shape}",
        kernel_of("max_pool", x, **pool),
        lambda: x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5)),
    )


def main() -> None:
    """Print all comparisons."""
    print(f"{len(RECORDS)} families of ops")  # which importing simpar.ops made known
    rng = np.random.default_rng(0)
    rows(rng, 2048, 256)
    rows(rng, 8192, 128)
    updates(rng, 3_000_000)
    tables(rng, 1000, 256, 2048)
    tables(rng, 50_000, 64, 8192)
    images(rng, (64, 3, 32, 32), 16)
    images(rng, (64, 32, 16, 16), 64)


if __name__ == "__main__":
    main()
