"""Tests that ask for what simpar will not have, with the reason; what depends on MindSpore's C++ backend, mostly.

A reason is given to a test by what it raised, not by its name: so a test that checks layouts first and the text of
graphs afterwards is seen to get that far.
"""

import re
from typing import Final

from tests.conformance.runner import Result

__all__ = ["backend_reason"]

GRAPH_TEXT: Final = "reads the compiled graph as MindSpore's C++ compiler prints it"
IR_FILES: Final = "reads files of graphs that MindSpore's compiler writes"
ASCEND: Final = "uses an operator that exists on Ascend only"
PRIVATE: Final = "calls the C++ library itself"

_ASCEND_ONLY: Final = (
    "AntiQuant ApplyRotaryPosEmb Custom DSDMatmul Dequant DynamicQuantExt FFN FFNExt FakeQuantPerChannel "
    "FakeQuantPerLayer FusedInferAttentionScore GenerateEodMaskV2 GroupedMatmul KVCacheScatterUpdate MatmulDDS "
    "MoeComputeExpertTokens MoeFinalizeRouting MoeGatingTopKSoftmax MoeInitRouting PagedAttention PagedAttentionMask "
    "Quant QuantBatchMatmul QuantLinearSparse QuantV2 ReshapeAndCache RotaryPositionEmbedding TopKRouter TopPRouter "
    "WeightQuantBatchMatmul"
)
_MISSING = re.compile(r"mindspore\.ops[\w.]*\.(\w+) is not in simpar")
_RULES: Final = (
    (re.compile(r"MindSpore's C\+\+ compiler prints it"), GRAPH_TEXT),
    (re.compile(r"\.ir\b|IR files?|appears 0, expect \d|where 0 = len\(\[\]\)|assert '0' == '\d"), IR_FILES),
    (re.compile(r"Command .*grep "), IR_FILES),
    (re.compile(r"No such file or directory: '.*(rank_\d|graphs)"), IR_FILES),
    (re.compile(r"mindspore\._c_expression"), PRIVATE),
)


def backend_reason(result: Result) -> str:
    """Return why a failed test is none that simpar means to pass, or nothing."""
    missing = _MISSING.search(result.message)
    if missing and missing[1] in _ASCEND_ONLY.split():
        return ASCEND
    return next((reason for rule, reason in _RULES if rule.search(result.message)), "")
