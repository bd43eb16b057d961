"""Ops outside of a trace: they compute at once, and what they return belongs to the caller."""

import numpy as np
import pytest

from simpar import Parameter, Tensor, ops
from simpar.errors import TraceError
from simpar.graph import Trace, tracing


@pytest.mark.parametrize(
    "view", [lambda p: ops.reshape(p, (3, 2)), lambda p: ops.transpose(p, (1, 0)), lambda p: p[0:1]]
)
def test_a_view_of_a_parameter_stays_when_the_parameter_is_trained(view) -> None:
    parameter = Parameter(Tensor(np.zeros((2, 3), np.float32)), name="p")
    before = view(parameter)
    parameter.set_data(Tensor(np.ones((2, 3), np.float32)))
    assert not before.asnumpy().any()


def test_a_tensor_of_a_finished_trace_is_refused() -> None:
    trace = Trace()
    with tracing(trace):
        kept = Tensor.wrap(trace.argument((2,), Tensor([1.0]).dtype, "x")) * 2
    with pytest.raises(TraceError, match="has ended"):
        _ = kept + 1
