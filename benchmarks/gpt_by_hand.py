"""A GPT's training step written by hand in numpy: the measure of simpar's.

Pre-norm blocks, learned places, biases everywhere but in the head, GELU by tanh, Adam. One product makes q, k and v;
heads are views that go to BLAS as they are; chains of passes go in blocks of rows that stay in the cache.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from benchmarks.by_hand import Array, Flat, adam, cross_entropy
from benchmarks.pairs import Ranks

__all__ = ["GPTByHand", "Sizes"]

ROWS = 64
"""Rows of a block: 256 KiB at 1024 columns."""
C = sqrt(2 / pi)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the network is made of; ``heads`` and ``hidden`` are this rank's where they are cut."""

    batch: int = 16
    sequence: int = 128
    width: int = 256
    heads: int = 4
    layers: int = 4
    vocabulary: int = 256
    head: int = 64
    hidden: int = 1024

    @property
    def rows(self) -> int:
        """Rows of the residual stream."""
        return self.batch * self.sequence


class Kept:
    """What one block keeps from the forward pass for the backward pass."""

    def __init__(self, s: Sizes) -> None:
        rows, inner = s.rows, s.heads * s.head
        self.hat1, self.y1, self.hat2, self.y2 = (np.empty((rows, s.width), np.float32) for _ in range(4))
        self.rstd1, self.rstd2 = (np.empty((rows, 1), np.float32) for _ in range(2))
        self.qkv = np.empty((rows, 3 * inner), np.float32)
        self.p = np.empty((s.batch, s.heads, s.sequence, s.sequence), np.float32)
        self.mixed = np.empty((rows, inner), np.float32)
        self.up, self.gelu = (np.empty((rows, s.hidden), np.float32) for _ in range(2))


class GPTByHand:
    """The hand-written step.

    Args:
        first: initial weights by simpar's names; the three of q, k and v are joined here.
        sizes: lengths on this rank.
        rate: learning rate.
        rows: of the whole batch, which the loss is the mean of.
        data: the ranks with other parts of the batch, which sum gradients and losses.
        model: the ranks with other heads and columns, which sum what each has a term of; None if they are not cut.
    """

    def __init__(
        self,
        first: Mapping[str, Array],
        sizes: Sizes,
        rate: float,
        rows: int | None = None,
        data: Ranks | None = None,
        model: Ranks | None = None,
    ) -> None:
        joined = join_qkv(first, sizes.layers)
        self.s, self.rate, self.steps, self.all_rows = sizes, rate, 0, rows or sizes.rows
        self.w, self.g = Flat(joined, fill=True), Flat(joined)
        self.m, self.v = Flat(joined), Flat(joined)
        self.data, self.model = data or Ranks(), model
        s = sizes
        self.kept = [Kept(s) for _ in range(s.layers)]
        self.x, self.dx, self.wide, self.wide2 = (np.empty((s.rows, s.width), np.float32) for _ in range(4))
        self.hat, self.y = (np.empty((s.rows, s.width), np.float32) for _ in range(2))
        self.rstd = np.empty((s.rows, 1), np.float32)
        self.logits = np.empty((s.rows, s.vocabulary), np.float32)
        self.dup = np.empty((s.rows, s.hidden), np.float32)
        self.dqkv, self.dmixed = np.empty_like(self.kept[0].qkv), np.empty_like(self.kept[0].mixed)
        self.dp = np.empty_like(self.kept[0].p)
        self.ones = np.ones(s.rows, np.float32)
        self.mask = np.triu(np.full((s.sequence, s.sequence), -1e9, np.float32), 1)
        self.scratch = [np.empty((ROWS, s.hidden), np.float32) for _ in range(3)]

    def step(self, tokens: NDArray[np.int32], following: NDArray[np.int32]) -> float:
        """Train on one batch and return the loss."""
        w, g, s = self.w, self.g, self.s
        np.take(w["embed.embedding_table"], tokens.reshape(-1), axis=0, out=self.x, mode="clip")
        by_place = self.x.reshape(s.batch, s.sequence, s.width)
        np.add(by_place, w["places"], out=by_place)
        for i in range(s.layers):
            self.forward(f"blocks.{i}", self.kept[i])
        norm(self.x, w["norm.gamma"], w["norm.beta"], self.hat, self.rstd, self.y)
        np.matmul(self.y, w["head.weight"].T, out=self.logits)
        loss = self.data.sum_number(cross_entropy(self.logits, following.reshape(-1), self.all_rows))
        np.matmul(self.logits.T, self.y, out=g["head.weight"])
        np.matmul(self.logits, w["head.weight"], out=self.wide)
        self.norm_grad(self.wide, self.hat, self.rstd, "norm", self.dx, add=False)
        for i in reversed(range(s.layers)):
            self.backward(f"blocks.{i}", self.kept[i])
        np.add.reduce(self.dx.reshape(s.batch, s.sequence, s.width), axis=0, out=g["places"])
        scatter(self.dx, tokens.reshape(-1), g["embed.embedding_table"])
        self.data.sum(g.whole)
        self.steps += 1
        adam(w.whole, self.m.whole, self.v.whole, g.whole, self.rate, self.steps)
        return loss

    # --- one block, forward ---

    def forward(self, name: str, k: Kept) -> None:
        """Add what a block adds to the residual stream."""
        w = self.w
        norm(self.x, w[f"{name}.norm1.gamma"], w[f"{name}.norm1.beta"], k.hat1, k.rstd1, k.y1)
        np.matmul(k.y1, w[f"{name}.qkv.weight"].T, out=k.qkv)
        np.add(k.qkv, w[f"{name}.qkv.bias"], out=k.qkv)
        q, key, v = self.heads(k.qkv)
        np.matmul(q, key.mT, out=k.p)
        self.softmax(k.p)
        np.matmul(k.p, v, out=self.dealt(k.mixed))
        np.matmul(k.mixed, w[f"{name}.proj.weight"].T, out=self.wide)
        self.add_rows(self.wide, w[f"{name}.proj.bias"])
        norm(self.x, w[f"{name}.norm2.gamma"], w[f"{name}.norm2.beta"], k.hat2, k.rstd2, k.y2)
        np.matmul(k.y2, w[f"{name}.up.weight"].T, out=k.up)
        for start in range(0, len(k.up), ROWS):
            u = k.up[start : start + ROWS]
            np.add(u, w[f"{name}.up.bias"], out=u)
            gelu(u, k.gelu[start : start + ROWS], self.scratch[0][: len(u)])
        np.matmul(k.gelu, w[f"{name}.down.weight"].T, out=self.wide)
        self.add_rows(self.wide, w[f"{name}.down.bias"])

    def add_rows(self, made: Array, bias: Array) -> None:
        """Add a product and its bias to the residual stream."""
        if self.model is not None:
            self.model.sum(made)
        for start in range(0, len(made), 4 * ROWS):
            block = made[start : start + 4 * ROWS]
            np.add(block, bias, out=block)
            np.add(self.x[start : start + 4 * ROWS], block, out=self.x[start : start + 4 * ROWS])

    def heads(self, qkv: Array) -> list[Array]:
        """Return q, k and v as views (b, heads, s, d)."""
        s = self.s
        view = qkv.reshape(s.batch, s.sequence, 3, s.heads, s.head)
        return [view[:, :, i].transpose(0, 2, 1, 3) for i in range(3)]

    def dealt(self, mixed: Array) -> Array:
        """Return rows as a view (b, heads, s, d)."""
        s = self.s
        return mixed.reshape(s.batch, s.sequence, s.heads, s.head).transpose(0, 2, 1, 3)

    def softmax(self, p: Array) -> None:
        """Scale, mask and normalize scores in place."""
        scale = np.float32(1 / sqrt(self.s.head))
        for each in p:  # (heads, s, s): 256 KiB
            np.multiply(each, scale, out=each)
            np.add(each, self.mask, out=each)
            np.subtract(each, np.maximum.reduce(each, axis=-1, keepdims=True), out=each)
            np.exp(each, out=each)
            np.multiply(each, (1 / np.einsum("hij->hi", each))[..., None], out=each)

    # --- one block, backward ---

    def backward(self, name: str, k: Kept) -> None:
        """Turn the gradient of a block's result, ``dx``, into that of its operand; write those of its weights."""
        w, g = self.w, self.g
        np.matmul(self.dx.T, k.gelu, out=g[f"{name}.down.weight"])
        np.matmul(self.ones, self.dx, out=g[f"{name}.down.bias"])
        np.matmul(self.dx, w[f"{name}.down.weight"], out=self.dup)
        for start in range(0, len(self.dup), ROWS):
            u, d = k.up[start : start + ROWS], self.dup[start : start + ROWS]
            gelu_grad(u, d, *(a[: len(u)] for a in self.scratch))
        np.matmul(self.dup.T, k.y2, out=g[f"{name}.up.weight"])
        np.matmul(self.ones, self.dup, out=g[f"{name}.up.bias"])
        np.matmul(self.dup, w[f"{name}.up.weight"], out=self.wide)
        if self.model is not None:
            self.model.sum(self.wide)
        self.norm_grad(self.wide, k.hat2, k.rstd2, f"{name}.norm2", self.dx, add=True)

        np.matmul(self.dx.T, k.mixed, out=g[f"{name}.proj.weight"])
        np.matmul(self.ones, self.dx, out=g[f"{name}.proj.bias"])
        np.matmul(self.dx, w[f"{name}.proj.weight"], out=self.dmixed)
        q, key, v = self.heads(k.qkv)
        dq, dkey, dv = self.heads(self.dqkv)
        dmixed = self.dealt(self.dmixed)
        np.matmul(dmixed, v.mT, out=self.dp)
        np.matmul(k.p.mT, dmixed, out=dv)
        scale = np.float32(1 / sqrt(self.s.head))
        for dp, p in zip(self.dp, k.p, strict=True):
            inner = np.einsum("hij,hij->hi", dp, p)
            np.subtract(dp, inner[..., None], out=dp)
            np.multiply(dp, p, out=dp)
            np.multiply(dp, scale, out=dp)
        np.matmul(self.dp, key, out=dq)
        np.matmul(self.dp.mT, q, out=dkey)
        np.matmul(self.dqkv.T, k.y1, out=g[f"{name}.qkv.weight"])
        np.matmul(self.ones, self.dqkv, out=g[f"{name}.qkv.bias"])
        np.matmul(self.dqkv, w[f"{name}.qkv.weight"], out=self.wide)
        if self.model is not None:
            self.model.sum(self.wide)
        self.norm_grad(self.wide, k.hat1, k.rstd1, f"{name}.norm1", self.dx, add=True)

    def norm_grad(self, dy: Array, hat: Array, rstd: Array, name: str, dx: Array, *, add: bool) -> None:
        """Pull dy back through a layer norm, onto or into dx; dy is used up."""
        gamma, dgamma, dbeta = self.w[f"{name}.gamma"], self.g[f"{name}.gamma"], self.g[f"{name}.beta"]
        np.matmul(self.ones, dy, out=dbeta)
        dgamma[...] = 0
        for start in range(0, len(dy), 4 * ROWS):
            rows = slice(start, start + 4 * ROWS)
            d, h = dy[rows], hat[rows]
            dgamma += np.einsum("ij,ij->j", d, h)
            np.multiply(d, gamma, out=d)
            n = d.shape[1]
            mean, along = np.einsum("ij->i", d) / n, np.einsum("ij,ij->i", d, h) / n
            np.subtract(d, mean[:, None], out=d)
            np.multiply(h, along[:, None], out=h)
            np.subtract(d, h, out=d)
            if add:
                np.multiply(d, rstd[rows], out=d)
                np.add(dx[rows], d, out=dx[rows])
            else:
                np.multiply(d, rstd[rows], out=dx[rows])


def join_qkv(first: Mapping[str, Array], layers: int) -> dict[str, Array]:
    """Return the weights with those of q, k and v of each block as one."""
    made = {name: a for name, a in first.items() if not any(f".{x}." in name for x in "qkv")}
    for i in range(layers):
        for kind in ("weight", "bias"):
            made[f"blocks.{i}.qkv.{kind}"] = np.concatenate([first[f"blocks.{i}.{x}.{kind}"] for x in "qkv"])
    return made


def norm(x: Array, gamma: Array, beta: Array, hat: Array, rstd: Array, y: Array) -> None:
    """Normalize rows; keep what the backward pass needs."""
    n = x.shape[1]
    for start in range(0, len(x), 4 * ROWS):
        rows = slice(start, start + 4 * ROWS)
        h = hat[rows]
        np.subtract(x[rows], (np.einsum("ij->i", x[rows]) / n)[:, None], out=h)
        variance = np.einsum("ij,ij->i", h, h) / n
        rstd[rows, 0] = 1 / np.sqrt(variance + np.float32(1e-5))
        np.multiply(h, rstd[rows], out=h)
        np.multiply(h, gamma, out=y[rows])
        np.add(y[rows], beta, out=y[rows])


def gelu(x: Array, y: Array, s: Array) -> None:
    """Write the gelu of x into y."""
    np.multiply(x, x, out=s)
    np.multiply(s, C * 0.044715, out=s)
    np.add(s, C, out=s)
    np.multiply(s, x, out=s)
    np.tanh(s, out=s)
    np.add(s, 1, out=s)
    np.multiply(s, 0.5, out=s)
    np.multiply(s, x, out=y)


def gelu_grad(x: Array, g: Array, s: Array, t: Array, r: Array) -> None:
    """Multiply g by the slope of gelu at x."""
    np.multiply(x, x, out=s)
    np.multiply(s, C * 0.044715, out=t)
    np.add(t, C, out=t)
    np.multiply(t, x, out=t)
    np.tanh(t, out=t)  # t = tanh(inner)
    np.multiply(s, 1.5 * C * 0.044715, out=s)
    np.add(s, 0.5 * C, out=s)
    np.multiply(s, x, out=s)  # s = x/2 d(inner)/dx
    np.multiply(t, t, out=r)
    np.subtract(1, r, out=r)
    np.multiply(s, r, out=s)
    np.multiply(t, 0.5, out=t)
    np.add(t, 0.5, out=t)
    np.add(s, t, out=s)
    np.multiply(g, s, out=g)


def scatter(rows: Array, numbers: NDArray[np.int32], out: Array) -> None:
    """Add each row to the row of ``out`` with its number: as the product with the one-hot matrix of the numbers."""
    hot = np.zeros((len(out), len(rows)), np.float32)
    hot[numbers, np.arange(len(rows))] = 1
    np.matmul(hot, rows, out=out)
