"""Attention as one op, against PyTorch's, in every layout and with every mask."""

from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import ops
from simpar.collectives import run_threads
from simpar.errors import NotYetError, RuleError, StrategyError
from simpar.ops import operations as P
from simpar.parallel import full_tensor
from simpar.tensor import Tensor
from tests.ops.test_against_torch import gradients_of, random, torch_gradients_of

torch = pytest.importorskip("torch")
attend = torch.nn.functional.scaled_dot_product_attention

B, N, S, T, D = 2, 4, 5, 6, 3
Q, K, V = random((B, N, S, D), (B, N, T, D), (B, N, T, 2))
MASK = np.random.default_rng(1).random((B, 1, S, T)) < 0.4
MASK[..., 0] = False  # no row without any key
SHIFT = random((B, N, S, T))[0]


def in_layout(x: Any, layout: str) -> Any:
    """Return (b, n, s, d) in another layout; works on both kinds of tensors."""
    if layout == "BNSD":
        return x
    moved = x.swapaxes(1, 2)
    if layout == "BSND":
        return moved
    flat = moved.reshape(*moved.shape[:2], -1)
    return flat if layout == "BSH" else flat.swapaxes(0, 1)


@pytest.mark.parametrize("layout", ["BNSD", "BSND", "BSH", "SBH"])
def test_values_and_gradients_equal_torch_in_every_layout(layout: str) -> None:
    def ours(*x: Any) -> Any:
        made = [in_layout(t, layout) for t in x]
        return (
            ops.flash_attention_score(
                made[0], made[1], made[2], N, attn_mask=Tensor(MASK), scalar_value=0.3, input_layout=layout
            ).reshape(-1)
            ** 2
        )

    def theirs(*x: Any) -> Any:
        return in_layout(attend(*x, attn_mask=~torch.tensor(MASK), scale=0.3), layout).reshape(-1) ** 2

    agree(ours, theirs, [Q, K, V])


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"sparse_mode": 2}, lambda i, j: j <= i),
        ({"sparse_mode": 3}, lambda i, j: j <= i + T - S),
        (
            {"sparse_mode": 4, "pre_tokens": 2, "next_tokens": 1},
            lambda i, j: (j <= i + T - S + 1) & (j >= i + T - S - 2),
        ),
        ({"pre_tokens": 1, "next_tokens": 2}, lambda i, j: (j <= i + 2) & (j >= i - 1)),
    ],
)
def test_sparse_modes_hide_the_keys_that_they_say(options: dict[str, Any], seen: Any) -> None:
    visible = torch.tensor(seen(np.arange(S)[:, None], np.arange(T)))
    agree(
        lambda q, k, v: ops.flash_attention_score(q, k, v, N, input_layout="BNSD", **options) ** 2,
        lambda q, k, v: attend(q, k, v, attn_mask=visible, scale=1.0) ** 2,
        [Q, K, V],
    )


def test_what_is_added_to_the_scores_has_a_gradient() -> None:
    agree(
        lambda q, k, v, s: ops.flash_attention_score(q, k, v, N, s, input_layout="BNSD") ** 2,
        lambda q, k, v, s: attend(q, k, v, attn_mask=s, scale=1.0) ** 2,
        [Q, K, V, SHIFT],
    )


def test_heads_of_the_query_may_share_one_of_the_keys() -> None:
    agree(
        lambda q, k, v: ops.flash_attention_score(q, k, v, N, input_layout="BNSD") ** 2,
        lambda q, k, v: attend(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1), scale=1.0) ** 2,
        [Q, K[:, :2], V[:, :2]],
    )


def test_dropped_scores_leave_the_others_larger() -> None:
    kept = np.random.default_rng(4).random((B, N, S, 8)) < 0.5
    bits = Tensor(np.packbits(kept, axis=-1, bitorder="little"))
    kept = kept[..., :T]

    def theirs(q: Any, k: Any, v: Any) -> Any:
        return (torch.softmax(q @ k.mT, -1) * torch.tensor(kept) / 0.5 @ v) ** 2

    for mask in (bits, Tensor(kept)):
        agree(
            lambda q, k, v, mask=mask: (
                ops.flash_attention_score(q, k, v, N, drop_mask=mask, keep_prob=0.5, input_layout="BNSD") ** 2
            ),
            theirs,
            [Q, K, V],
        )


def test_keys_beyond_their_length_do_not_count() -> None:
    lengths = Tensor(np.array([2, 6]))
    made = ops.incre_flash_attention(Tensor(Q[:, :, :1]), Tensor(K), Tensor(V), None, lengths, None, N, "BNSD")
    alone = attend(*(torch.tensor(x) for x in (Q[:1, :, :1], K[:1, :, :2], V[:1, :, :2])), scale=1.0)
    np.testing.assert_allclose(made.asnumpy()[:1], alone.numpy(), rtol=1e-5)


def test_the_object_gives_the_attention_last() -> None:
    score = P.FlashAttentionScore(N, input_layout="BNSD").shard(((1, 1, 1, 1),) * 3)
    made = score(Tensor(Q), Tensor(K), Tensor(V))
    assert [x.shape for x in made] == [(B, N, S, 8), (B, N, S, 8), (1,), (B, N, S, 2)]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(NotYetError, match="TND"):
        ops.flash_attention_score(Tensor(Q), Tensor(K), Tensor(V), N, input_layout="TND")
    with pytest.raises(NotYetError, match="sparse_mode 7"):
        P.FlashAttentionScore(N, sparse_mode=7)
    with pytest.raises(RuleError, match="heads times columns"):
        ops.flash_attention_score(Tensor(Q[0]), Tensor(K[0]), Tensor(V[0]), 2)


def agree(ours: Any, theirs: Any, arrays: list[Any]) -> None:
    out, gradients = gradients_of(ours, arrays)
    expected, wanted = torch_gradients_of(theirs, arrays)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-6)
    for got, want in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


# --- rows that ranks share ---


def ring_on_a_rank(layout: str, name: str, cuts: Any) -> Any:
    ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
    attention = P.FlashAttentionScore(N, input_layout=layout, sparse_mode=2).shard(cuts).add_prim_attr(name, True)
    given = [Tensor(in_layout(x, layout).astype(np.float32)) for x in random((B, N, 8, D), (B, N, 8, D), (B, N, 8, D))]

    def squares(*x: Tensor) -> Tensor:
        made: Any = attention(*x)[3]
        return (made * made).sum()

    value, gradients = ms.value_and_grad(squares, (0, 1, 2))(*given)
    return [full_tensor(t).asnumpy() for t in (value, *gradients)]


@pytest.mark.parametrize("name", ["enable_ring_attention", "enable_flash_sp"])
@pytest.mark.parametrize(("layout", "cut"), [("BNSD", (1, 1, 4, 1)), ("SBH", (2, 2, 1))])
def test_ranks_that_share_the_rows_of_keys_compute_what_one_device_does(
    name: str, layout: str, cut: tuple[int, ...]
) -> None:
    uncut = (1,) * len(cut)
    (expected,) = run_threads(1, ring_on_a_rank, layout, name, (uncut,) * 3)
    for found in run_threads(4, ring_on_a_rank, layout, name, (cut,) * 3):
        for own, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(own, wanted, rtol=1e-5, atol=1e-6)


def test_in_a_ring_rows_of_queries_and_keys_are_cut_alike() -> None:
    attention = P.FlashAttentionScore(N, input_layout="BNSD").shard(((1, 1, 4, 1), (1, 1, 2, 1), (1, 1, 2, 1)))
    with pytest.raises(StrategyError, match="in a ring all three are cut alike"):
        attention.add_prim_attr("enable_ring_attention", True)(Tensor(Q), Tensor(K), Tensor(V))
