"""Tests that ask for what simpar will not have, with the reason; what depends on MindSpore's C++ backend, mostly.

``backend``: only MindSpore's C++ library or an Ascend device has it. ``out of scope``: it is no part of parallel
training.

A reason is given to a test by what it raised, not by its name: so a test that checks layouts first and the text of
graphs afterwards is seen to get that far.
"""

import re
from typing import Final

from tests.conformance.runner import Result

__all__ = ["judgement"]

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
    (re.compile(r"\.ir\b|IR files?|appears 0, expect \d|where 0 = len\(\[\]\)|assert '0' (==|>=?) '\d"), IR_FILES),
    (re.compile(r"Command .*grep "), IR_FILES),
    (re.compile(r"No such file or directory: '.*(rank_\d|graphs)"), IR_FILES),
    (re.compile(r"mindspore\._c_expression"), PRIVATE),
)


_OUT_OF_SCOPE: Final = {
    "nn.probability": "random distributions as Cells",
    "nn.MSSSIM nn.SSIM nn.PSNR nn.CentralCrop": "measures and cuts of images",
    "nn.LSTM nn.GRU nn.RNN nn.CTCLoss": "recurrent layers",
    "COOTensor CSRTensor RowTensor common.sparse_tensor nn.SparseToDense": "sparse Tensors",
    "SummaryCollector SummaryLandscape SummaryRecord train.summary": "MindInsight's summary files",
    "rewrite": "MindSpore's rewriting of source text",
    "parallel._transformer": "a module that MindSpore 2.10 has no longer",
    "set_dump common.file_system": "a dump of an Ascend device's memory",
    "common.api._JitExecutor": "the names under which MindSpore's executor keeps its graphs",
    "common.dtype.float8_e5m2 float8_e5m2 float8_e4m3fn hifloat8": "8-bit floats, which only Ascend has",
    "train.TrainFaultTolerance": "recovery of an Ascend cluster",
}
_EXPORTS: Final = re.compile(r"mindspore\.\S*(export|_save_graph|_get_funcgraph) is not in simpar")
_NAME: Final = re.compile(r"mindspore\.([\w.]+) is not in simpar")
_TOLD: Final = (
    (_EXPORTS, "writes MindIR, ONNX or AIR, files of graphs of MindSpore's own nodes"),
    (re.compile(r"does not encrypt"), "encrypts files"),
    (re.compile(r"there is no file \.\./data/"), "reads files that the checkout holds as stand-ins only"),
)
_FORMAT: Final = re.compile(r"dataset\.(\w+Dataset) is not in simpar")


def judgement(result: Result) -> tuple[str, str]:
    """Return what a failed test is if simpar does not mean to pass it, and why; nothing twice otherwise."""
    missing = _MISSING.search(result.message)
    if missing and missing[1] in _ASCEND_ONLY.split():
        return "backend", ASCEND
    reason = next((reason for rule, reason in _RULES if rule.search(result.message)), "")
    return ("backend", reason) if reason else ("out of scope", why) if (why := _scope(result.message)) else ("", "")


def _scope(message: str) -> str:
    """Return what a message asks for beyond parallel training, or nothing."""
    if kind := _FORMAT.search(message):
        return f"reads {kind[1].removesuffix('Dataset')} files"
    if told := next((reason for rule, reason in _TOLD if rule.search(message)), ""):
        return told
    name = _NAME.search(message)
    if name is None:
        return ""
    known = ((word, reason) for words, reason in _OUT_OF_SCOPE.items() for word in words.split())
    return next((reason for word, reason in known if f"{name[1]}.".startswith(f"{word}.")), "")
