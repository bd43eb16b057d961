"""Attention as objects, under MindSpore's class names."""

from collections.abc import Sequence
from typing import cast

from simpar.graph import Strategy
from simpar.ops.attention import UNBOUNDED
from simpar.ops.functions.attention import attention_attrs, band, given_extras, refuse
from simpar.ops.primitive import Primitive
from simpar.ops.support import one
from simpar.tensor import Tensor, call

__all__ = ["FlashAttentionScore", "IncreFlashAttention", "PromptFlashAttention"]

_IN_A_RING = ("enable_ring_attention", "enable_flash_sp")
"""Attributes under which ranks share the rows of one attention."""


class FlashAttentionScore(Primitive, op="flash_attention"):
    """Is attention; arguments as of ``ops.flash_attention_score``.

    A strategy has an entry for query, key and value, then for each further tensor that is given. Batch, heads and rows
    of the query may be cut. With the attribute ``enable_ring_attention`` or ``enable_flash_sp`` a strategy cuts also
    the rows of keys and values: they are gathered before they are used, where MindSpore passes them on from rank to
    rank (Liu et al., 2023, "Ring attention with blockwise transformers"); the attention is the same.
    """

    def __init__(
        self,
        head_num: int,
        keep_prob: float = 1.0,
        scale_value: float = 1.0,
        pre_tokens: int = UNBOUNDED,
        next_tokens: int = UNBOUNDED,
        inner_precise: int = 0,
        input_layout: str = "BSH",
        sparse_mode: int = 0,
    ) -> None:
        del inner_precise
        super().__init__(scale=scale_value, keep=keep_prob, **band(sparse_mode, pre_tokens, next_tokens))
        self.head_num, self.input_layout = head_num, input_layout

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        real_shift: Tensor | None = None,
        drop_mask: Tensor | None = None,
        padding_mask: Tensor | None = None,
        attn_mask: Tensor | None = None,
        prefix: Tensor | None = None,
        actual_seq_qlen: Tensor | None = None,
        actual_seq_kvlen: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return largest scores and sums (b, heads, s, 8), an empty place, and the attention."""
        refuse(self.name, padding_mask=padding_mask, prefix=prefix)
        names, extras = given_extras(shift=real_shift, drop=drop_mask, mask=attn_mask)
        attrs = attention_attrs(query, key, self.head_num, 0, self.input_layout, given=names)
        refuse(self.name, actual_seq_qlen=actual_seq_qlen, actual_seq_kvlen=actual_seq_kvlen)
        if not any(self.attrs.get(name) for name in _IN_A_RING):
            made = self.apply(query, key, value, *extras, **attrs)
        else:
            with self._recorded():
                cut = self._with_whole_rows()
                made = call("flash_attention", query, key, value, *extras, strategy=cut, **{**self._attrs, **attrs})
        assert isinstance(made, tuple), "flash_attention has three results"
        return made[1], made[2], Tensor([0.0]), made[0]

    def _with_whole_rows(self) -> Strategy | None:
        """Return the strategy without the cuts of the rows of keys and values.

        Raises:
            StrategyError: these are not cut as the rows of the query are.
        """
        given, rows = self.in_strategy, self.input_layout.index("S")
        if given is None or not all(isinstance(entry, tuple) and len(entry) > rows for entry in given[:3]):
            return given
        query, *others = (list(cast("tuple[int, ...]", entry)) for entry in given[:3])
        if any(entry[rows] != query[rows] for entry in others):
            raise self.refused(
                f"strategy {given} cuts the rows of the query into {query[rows]} parts and those of keys and values "
                f"into {[entry[rows] for entry in others]}; in a ring all three are cut alike."
            )
        for entry in others:
            entry[rows] = 1
        return (tuple(query), *map(tuple, others), *given[3:])


class PromptFlashAttention(Primitive, op="flash_attention"):
    """Is the attention of a whole prompt; arguments as of ``ops.prompt_flash_attention``."""

    def __init__(
        self,
        num_heads: int = 1,
        scale_value: float = 1.0,
        pre_tokens: int = UNBOUNDED,
        next_tokens: int = 0,
        input_layout: str = "BSH",
        num_key_value_heads: int = 0,
        sparse_mode: int = 0,
        inner_precise: int = 1,
    ) -> None:
        del inner_precise
        super().__init__(scale=scale_value, keep=1.0, **band(sparse_mode, pre_tokens, next_tokens))
        self.num_heads, self.input_layout, self.num_key_value_heads = num_heads, input_layout, num_key_value_heads

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        actual_seq_lengths: Tensor | None = None,
        actual_seq_lengths_kv: Tensor | None = None,
        pse_shift: Tensor | None = None,
        *scales: Tensor | None,
    ) -> Tensor:
        """Return the attention."""
        refuse(self.name, **{f"operand {7 + i}, of quantization": x for i, x in enumerate(scales)})
        names, extras = given_extras(
            mask=attn_mask, lengths=actual_seq_lengths, key_lengths=actual_seq_lengths_kv, shift=pse_shift
        )
        attrs = attention_attrs(query, key, self.num_heads, self.num_key_value_heads, self.input_layout, given=names)
        made = self.apply(query, key, value, *extras, **attrs)
        assert isinstance(made, tuple), "flash_attention has three results"
        return made[0]


class IncreFlashAttention(Primitive, op="flash_attention"):
    """Is the attention of one new row; arguments as of ``ops.incre_flash_attention``."""

    def __init__(
        self,
        num_heads: int = 1,
        input_layout: str = "BSH",
        scale_value: float = 1.0,
        num_key_value_heads: int = 0,
        block_size: int = 0,
        inner_precise: int = 1,
    ) -> None:
        del block_size, inner_precise
        super().__init__(scale=scale_value, keep=1.0, **band(1, UNBOUNDED, UNBOUNDED))
        self.num_heads, self.input_layout, self.num_key_value_heads = num_heads, input_layout, num_key_value_heads

    def __call__(
        self,
        query: Tensor,
        key: Tensor | Sequence[Tensor],
        value: Tensor | Sequence[Tensor],
        attn_mask: Tensor | None = None,
        actual_seq_lengths: Tensor | None = None,
        pse_shift: Tensor | None = None,
        *scales: Tensor | None,
    ) -> Tensor:
        """Return the attention; keys and values stand in a list, or alone."""
        refuse(self.name, **{f"operand {6 + i}, of quantization": x for i, x in enumerate(scales)})
        keys, values = _alone(key), _alone(value)
        names, extras = given_extras(mask=attn_mask, key_lengths=actual_seq_lengths, shift=pse_shift)
        attrs = attention_attrs(query, keys, self.num_heads, self.num_key_value_heads, self.input_layout, given=names)
        made = self.apply(query, keys, values, *extras, **attrs)
        assert isinstance(made, tuple), "flash_attention has three results"
        return made[0]


def _alone(given: Tensor | Sequence[Tensor]) -> Tensor:
    """Return the tensor of a list; several are joined along the batch."""
    if isinstance(given, Tensor):
        return given
    return given[0] if len(given) == 1 else one("concat", *given, axis=0)
