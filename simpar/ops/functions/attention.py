"""Attention as functions, under MindSpore's lower-case names."""

from typing import Any

from simpar.errors import NotYetError, RuleError
from simpar.ops.attention import EXTRAS, UNBOUNDED
from simpar.tensor import Tensor, call

__all__ = ["flash_attention_score", "incre_flash_attention", "prompt_flash_attention"]


def attention_attrs(
    query: Tensor, key: Tensor, heads: int, key_heads: int, layout: str, **further: Any
) -> dict[str, Any]:
    """Return the attributes of an attention, with the heads and their columns as the shapes tell.

    Args:
        query, key: in the layout.
        heads: of the query.
        key_heads: of the keys; 0 if the shapes tell.
        layout: ``"BSH"``, ``"SBH"``, ``"BNSD"`` or ``"BSND"``.
        further: attributes that stay as they are.

    Raises:
        NotYetError: the layout packs sequences of several lengths (``"TND"``).
        RuleError: columns do not divide by the heads.
    """
    if layout == "TND":
        raise NotYetError("attention in layout 'TND' (packed sequences) is not in simpar; pad them and use 'BSND'.")
    if len(layout) == 4:
        axis = layout.find("N")
        return {
            "heads": query.shape[axis],
            "groups": key.shape[axis],
            "dim": query.shape[3],
            "layout": layout,
            **further,
        }
    dim, rest = divmod(query.shape[-1], heads)
    if rest or key.shape[-1] % dim:
        raise RuleError(
            f"a query of shape {query.shape} with {heads} heads, and keys of shape {key.shape}: the last axes must be "
            f"heads times columns of a head."
        )
    return {"heads": heads, "groups": key_heads or key.shape[-1] // dim, "dim": dim, "layout": layout, **further}


def given_extras(**extras: Tensor | None) -> tuple[tuple[str, ...], list[Tensor]]:
    """Return the names and the Tensors of the further operands that are not None, in the order of MindSpore."""
    unknown = extras.keys() - set(EXTRAS)
    assert not unknown, f"{unknown} are no operands of an attention"
    found = {name: x for name, x in extras.items() if x is not None}
    return tuple(found), list(found.values())


def refuse(op: str, **operands: object) -> None:
    """Refuse operands that are not None.

    Raises:
        NotYetError: one is given.
    """
    given = [name for name, x in operands.items() if x is not None]
    if given:
        raise NotYetError(f"{op}: simpar has no {', '.join(given)}; leave it out.")


def flash_attention_score(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    head_num: int,
    real_shift: Tensor | None = None,
    drop_mask: Tensor | None = None,
    padding_mask: Tensor | None = None,
    attn_mask: Tensor | None = None,
    prefix: Tensor | None = None,
    actual_seq_qlen: Tensor | None = None,
    actual_seq_kvlen: Tensor | None = None,
    keep_prob: float = 1.0,
    scalar_value: float = 1.0,
    pre_tokens: int = UNBOUNDED,
    next_tokens: int = UNBOUNDED,
    inner_precise: int = 0,
    input_layout: str = "BSH",
    sparse_mode: int = 0,
) -> Tensor:
    """Return softmax(query @ key.T * scalar_value + real_shift) @ value for each head.

    Args:
        query, key, value: in ``input_layout``; keys and values may have fewer heads, shared by those of the query.
        head_num: heads of the query.
        real_shift: is added to the scores, (b, heads, s, t).
        drop_mask: which scores are kept, as bits (b, heads, s, t / 8) or as bools (b, heads, s, t).
        attn_mask: true where scores do not count: (b, heads, s, t), (b, 1, s, t) or (s, t).
        keep_prob: which part ``drop_mask`` keeps.
        scalar_value: by what scores are multiplied.
        pre_tokens, next_tokens: with ``sparse_mode`` 0 and 4: how far before and after its own place a row looks.
        inner_precise: without meaning here.
        input_layout: ``"BSH"``, ``"SBH"``, ``"BNSD"`` or ``"BSND"``.
        sparse_mode: 0 ``attn_mask`` and the two distances; 1 ``attn_mask``; 2 no key after the row, counted from the
            first; 3 the same, counted from the last; 4 the two distances, counted from the last. In 2, 3 and 4
            ``attn_mask`` tells nothing.
        padding_mask, prefix, actual_seq_qlen, actual_seq_kvlen: None.

    Raises:
        NotYetError: what is None above is given, another sparse mode, or the layout ``"TND"``.

    >>> x = Tensor([[[1.0, 0.0], [0.0, 1.0]]])
    >>> flash_attention_score(x, x, x, 1, sparse_mode=2).tolist()[0][0]
    [1.0, 0.0]
    """
    del inner_precise
    refuse("flash_attention_score", padding_mask=padding_mask, prefix=prefix)
    refuse("flash_attention_score", actual_seq_qlen=actual_seq_qlen, actual_seq_kvlen=actual_seq_kvlen)
    names, extras = given_extras(shift=real_shift, drop=drop_mask, mask=attn_mask)
    attrs = attention_attrs(query, key, head_num, 0, input_layout, given=names, scale=scalar_value, keep=keep_prob)
    return _attended(query, key, value, extras, {**attrs, **band(sparse_mode, pre_tokens, next_tokens)})


def band(sparse_mode: int, pre_tokens: int, next_tokens: int) -> dict[str, int]:
    """Return the attributes that say which keys a row looks at.

    Raises:
        NotYetError: another sparse mode than 0 to 4.
    """
    if sparse_mode not in range(5):
        raise NotYetError(f"attention with sparse_mode {sparse_mode}: simpar has 0 to 4.")
    return {"sparse": sparse_mode, "before": pre_tokens, "after": next_tokens}


def _attended(query: Tensor, key: Tensor, value: Tensor, extras: list[Tensor], attrs: dict[str, Any]) -> Tensor:
    made = call("flash_attention", query, key, value, *extras, **attrs)
    assert isinstance(made, tuple), "flash_attention has three results"
    return made[0]


def prompt_flash_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    actual_seq_lengths: Tensor | None = None,
    actual_seq_lengths_kv: Tensor | None = None,
    pse_shift: Tensor | None = None,
    num_heads: int = 1,
    scale_value: float = 1.0,
    pre_tokens: int = UNBOUNDED,
    next_tokens: int = 0,
    input_layout: str = "BSH",
    num_key_value_heads: int = 0,
    sparse_mode: int = 0,
) -> Tensor:
    """Return the attention of a whole prompt; arguments as of ``flash_attention_score``, with these besides.

    Args:
        actual_seq_lengths_kv: how many keys of each sequence count, (b,).
        actual_seq_lengths: how many rows of each query count, (b,); the others are computed all the same.
        pse_shift: is added to the scores.
    """
    names, extras = given_extras(
        mask=attn_mask, lengths=actual_seq_lengths, key_lengths=actual_seq_lengths_kv, shift=pse_shift
    )
    further = {"given": names, "scale": scale_value, "keep": 1.0, **band(sparse_mode, pre_tokens, next_tokens)}
    attrs = attention_attrs(query, key, num_heads, num_key_value_heads, input_layout, **further)
    return _attended(query, key, value, extras, attrs)


def incre_flash_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    actual_seq_lengths: Tensor | None = None,
    pse_shift: Tensor | None = None,
    num_heads: int = 1,
    input_layout: str = "BSH",
    scale_value: float = 1.0,
    num_key_value_heads: int = 0,
) -> Tensor:
    """Return the attention of one new row; ``actual_seq_lengths`` tells how many keys of each sequence count."""
    names, extras = given_extras(mask=attn_mask, key_lengths=actual_seq_lengths, shift=pse_shift)
    further = {"given": names, "scale": scale_value, "keep": 1.0, **band(1, UNBOUNDED, UNBOUNDED)}
    attrs = attention_attrs(query, key, num_heads, num_key_value_heads, input_layout, **further)
    return _attended(query, key, value, extras, attrs)
