"""The operators that parallel scripts write most: each by all its names, and each a record with kernel and gradient."""

import importlib
from collections.abc import Generator

import pytest

from simpar import mindspore
from simpar.graph import OPS

# Primitive, functions of mindspore.ops, functions below mindspore.mint
OPERATORS = """
GradOperation|grad|
Conv2D|conv2d|nn.functional.conv2d nn.Conv2d
MatMul|matmul|matmul nn.functional.linear nn.Linear
Gather|gather|index_select
Mul|mul|mul
Softmax|softmax|softmax nn.functional.softmax
Add|add|add
ReLU|relu|nn.functional.relu nn.ReLU
Reshape|reshape|reshape
StridedSlice|strided_slice|narrow
LayerNorm|layer_norm|nn.functional.layer_norm nn.LayerNorm
GatherNd|gather_nd|
Neg|neg|neg
ReduceSum SumExt|sum|sum
RmsNorm|rms_norm|
Concat|cat concat|cat concat
ReduceMean MeanExt|mean|mean
Tile|tile|tile
Conv2DTranspose||nn.functional.conv_transpose2d
BatchMatMul|bmm|bmm
Transpose|transpose permute|permute transpose
GeLU|gelu|nn.functional.gelu nn.GELU
UnsortedSegmentSum|unsorted_segment_sum|
UnsortedSegmentMin|unsorted_segment_min|
UnsortedSegmentMax|unsorted_segment_max|
UnsortedSegmentProd|unsorted_segment_prod|
SparseGatherV2||
SortExt|sort|sort
RepeatInterleaveInt|repeat_interleave|repeat_interleave
CumSum|cumsum|cumsum
Cast|cast|
OneHot|one_hot|nn.functional.one_hot
SoftmaxCrossEntropyWithLogits|cross_entropy|nn.functional.cross_entropy nn.CrossEntropyLoss
UniformCandidateSampler|uniform_candidate_sampler|
TensorScatterUpdate|tensor_scatter_elements|scatter
MaxPool|max_pool2d|nn.functional.max_pool2d nn.MaxPool2d
EmbeddingLookup||
Square|square|square
Split|split|split
Dropout|dropout|nn.functional.dropout nn.Dropout
Lerp|lerp|lerp
FloorDiv|floor_div|floor_divide
Depend|depend|
Cdist|cdist|cdist
BiasAdd|bias_add|
MaxDim Max|max|max
ResizeBilinear ResizeNearestNeighbor|interpolate|nn.functional.interpolate
Stack|stack|stack
Sigmoid|sigmoid|sigmoid nn.functional.sigmoid nn.Sigmoid
GetNext||
L2Normalize||nn.functional.normalize
PReLU|prelu|nn.functional.prelu nn.PReLU
Div RealDiv|div|div
SiLU|silu|nn.functional.silu nn.SiLU
Shape|shape|
Outer|outer|outer
ExpandDims|expand_dims unsqueeze|unsqueeze
Embedding||nn.functional.embedding nn.Embedding
Squeeze|squeeze|squeeze
SplitV||split
SigmoidCrossEntropyWithLogits|binary_cross_entropy_with_logits|nn.functional.binary_cross_entropy_with_logits
KLDivLoss|kl_div|nn.functional.kl_div nn.KLDivLoss
GatherD|gather_d gather_elements|gather
FloorMod|floor_mod fmod|fmod remainder
ArgMinWithValue|min|min
ArgMaxWithValue|max|max
Slice|slice|
AddN|addn|
Maximum|maximum|maximum
Minimum|minimum|minimum
TopK|topk|topk
ReduceProd|prod|prod
ReduceAll|all|all
ReduceAny|any|any
PadV3|pad|nn.functional.pad
Equal|equal eq|eq
NotEqual|not_equal ne|ne not_equal
Greater|greater gt|gt greater
GreaterEqual|greater_equal ge|ge greater_equal
Less|less lt|lt less
LessEqual|less_equal le|le less_equal
ApproximateEqual|approximate_equal|
FlashAttentionScore|flash_attention_score|
BroadcastTo|broadcast_to|broadcast_to
AvgPool|avg_pool2d|nn.functional.avg_pool2d nn.AvgPool2d
HyperMap||
DType|dtype|
Select|select where|where
LogSoftmax|log_softmax|nn.functional.log_softmax nn.LogSoftmax
Tanh|tanh|tanh nn.functional.tanh nn.Tanh
Range|range arange|arange
LinSpace|linspace|linspace
BatchNorm|batch_norm|nn.functional.batch_norm nn.BatchNorm2d
FFT FFT2 IFFT RFFT IRFFT|fft fft2 fftn ifft ifft2 ifftn rfft rfft2 rfftn irfft irfft2 irfftn hfft hfft2 ihfft ihfft2|
|fftshift ifftshift fftfreq rfftfreq dct idct dctn idctn|
"""
CELLS = """
Momentum Lamb Adam AdamWeightDecay LazyAdam AdaFactor LARS SGD TrainOneStepCell WithLossCell
SoftmaxCrossEntropyWithLogits MicroBatchInterleaved PipelineCell GradAccumulationCell BatchNorm1d BatchNorm2d
EmbeddingLookup MultiFieldEmbeddingLookup CellList Flatten ReLU PReLU MaxPool2d
"""
ROWS = [tuple(part.split() for part in line.split("|")) for line in OPERATORS.strip().splitlines()]
COMPOSITES = ("GradOperation", "HyperMap")
WITHOUT_SLOPE = """
equal not_equal greater greater_equal less less_equal approximate_equal floor_div argmax argmin shape range linspace
reduce_all reduce_any one_hot uniform_candidates get_next isfinite
"""


@pytest.fixture(autouse=True)
def alias() -> Generator[None]:
    mindspore.install()
    yield
    mindspore.uninstall()


def below(module: str, path: str) -> object:
    found = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[0] or row[1][:2]))
def test_an_operator_goes_by_all_its_names(row: tuple[list[str], list[str], list[str]]) -> None:
    primitives, functions, minted = row
    for name in primitives:
        made = below("mindspore.ops", name)
        assert name in COMPOSITES or made is below("mindspore.ops.operations", name)
        record = OPS.get(getattr(made, "op_name", ""))
        if record is not None and record.name not in WITHOUT_SLOPE.split():
            assert record.kernel is not None
            assert record.bprop is not None, f"{name} ({record.name}) has no gradient"
    for name in functions:
        assert callable(below("mindspore.ops", name))
        assert callable(below("mindspore.ops.functional", name))
    for name in minted:
        assert callable(below("mindspore.mint", name))


@pytest.mark.parametrize("name", CELLS.split())
def test_a_cell_goes_by_its_name(name: str) -> None:
    assert callable(below("mindspore.nn", name))
