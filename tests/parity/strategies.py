"""The ways in which the parity tests cut a GPT."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simpar.layout import Layout
from tests.parity.models import Out, Shape

__all__ = ["STRATEGIES", "Way", "megatron"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to cut a program.

    Args:
        n: how many ranks.
        cuts: the strategy of each op, by its role; empty leaves all to the default.
        options: for ``set_auto_parallel_context``, beside the mode.
        shape: which GPT.
        fusion: ``comm_fusion`` of every Parameter, one number, or different ones.
    """

    n: int
    cuts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    shape: Shape = field(default_factory=Shape)
    fusion: str = "equal"


def megatron(dp: int, tp: int) -> dict[str, Any]:
    """Rows cut by ``dp``; heads, and the pair of products around the gelu, by ``tp``."""
    rows = ((dp, 1),)
    return {
        "embed": ((1, 1), (dp, 1)),
        "place": ((dp, 1, 1), (1, 1)),
        "norm": ((dp, 1), (1,), (1,)),
        "qkv": ((dp, 1), (1, tp)),
        "deal": ((dp, 1, tp, 1),),
        "scores": ((dp, tp, 1, 1), (dp, tp, 1, 1)),
        "scale": ((dp, tp, 1, 1),),
        "mask": ((dp, tp, 1, 1), (1, 1)),
        "softmax": ((dp, tp, 1, 1),),
        "mix": ((dp, tp, 1, 1), (dp, tp, 1, 1)),
        "merge": ((dp, tp, 1, 1),),
        "proj": ((dp, tp), (tp, 1)),
        "residual": rows * 2,
        "up": ((dp, 1), (1, tp)),
        "up_bias": ((dp, tp), (tp,)),
        "gelu": ((dp, tp),),
        "down": ((dp, tp), (tp, 1)),
        "head": ((dp, 1), (1, 1)),
        "tied_head": ((dp, 1), (1, 1)),
    }


def products(**cuts: Any) -> dict[str, Any]:
    return cuts


def vocabulary(dp: int, tp: int) -> dict[str, Any]:
    """The table cut by rows, the head and its loss by classes."""
    return megatron(dp, tp) | {
        "embed": ((tp, 1), (dp, 1)),
        "head": ((dp, 1), (1, tp)),
        "tied_head": ((dp, 1), (tp, 1)),
        "classes": ((dp, tp),),
        "spread": ((dp, tp), (dp, 1)),
        "both": ((dp, tp), (dp, tp)),
        "one_hot": ((dp, tp), (), ()),
    }


def sequence_cut(dp: int, tp: int) -> dict[str, Any]:
    """Activations between the products cut by rows over all ranks: sums leave as a reduce-scatter."""
    rows = dp * tp
    scattered = ((rows, 1),)
    return megatron(dp, tp) | {
        "norm": ((rows, 1), (1,), (1,)),
        "residual": ((rows, 1), (rows, 1)),
        "proj": Out(((dp, tp), (tp, 1)), scattered),
        "down": Out(((dp, tp), (tp, 1)), scattered),
    }


def by_layouts(rank_list: tuple[int, ...]) -> dict[str, Any]:
    """A pair of products given by Layouts, the ranks in another order."""

    def lay(*entries: Any) -> Layout:
        return Layout((2, 2), entries, rank_list)

    return {
        "up": (lay(1, -1), lay(-1, 0)),
        "up_bias": (lay(1, 0), lay(0)),
        "gelu": (lay(1, 0),),
        "down": (lay(1, 0), lay(0, -1)),
    }


def zero(size: int = -1) -> dict[str, Any]:
    return {
        "enable_parallel_optimizer": True,
        "parallel_optimizer_config": {"parallel_optimizer_threshold": 0, "optimizer_weight_shard_size": size},
    }


THREE_CUTS = {"up": ((2, 2), (2, 2)), "down": ((2, 2), (2, 2)), "gelu": ((2, 4),), "proj": ((2, 2), (2, 2))}

STRATEGIES: dict[str, Way] = {
    "defaults": Way(4),
    "dp4": Way(4, megatron(4, 1)),
    "dp8-optimizer": Way(8, megatron(8, 1), zero()),
    "tp-column": Way(2, products(up=((1, 1), (1, 2)), qkv=((1, 1), (1, 2)), head=((1, 1), (1, 2)))),
    "tp-row": Way(2, products(down=((1, 2), (2, 1)), proj=((1, 2), (2, 1)), up=((1, 2), (2, 1)))),
    "tp2": Way(2, megatron(1, 2)),
    "dp2-tp2": Way(4, megatron(2, 2)),
    "dp2-tp2-optimizer": Way(4, megatron(2, 2), zero(), Shape(layers=2)),
    "dp4-tp2-optimizer-2": Way(8, megatron(4, 2), zero(2)),
    "2x2x2-cut-reduction": Way(8, THREE_CUTS),
    "vocabulary": Way(4, vocabulary(2, 2), shape=Shape(spelled_loss=True)),
    "vocabulary-tied": Way(4, vocabulary(2, 2), zero(), Shape(tied=True, spelled_loss=True)),
    "tied": Way(4, megatron(2, 2), shape=Shape(tied=True)),
    "sequence": Way(4, sequence_cut(2, 2)),
    "layouts": Way(4, by_layouts((0, 2, 1, 3))),
    "dataset": Way(4, megatron(2, 2), {"full_batch": False, "dataset_strategy": "data_parallel"}),
    "dataset-cuts": Way(4, megatron(2, 2), {"full_batch": False, "dataset_strategy": ((2, 1), (2, 1))}),
    "no-fusion": Way(4, megatron(4, 1), zero(), fusion="none"),
    "fusion-groups": Way(4, megatron(2, 2), zero(), fusion="different"),
    "dropout": Way(4, megatron(2, 2), shape=Shape(keep_prob=0.8)),
}
