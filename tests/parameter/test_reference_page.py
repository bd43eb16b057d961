"""The example of MindSpore's reference page of Parameter, with ``mindspore`` replaced by ``simpar``, in both modes."""

import doctest
from types import ModuleType

import pytest

import simpar

EXAMPLE = """
>>> import numpy as np
>>> from simpar import Parameter, Tensor
>>> import simpar.ops as ops
>>> import simpar.nn as nn
>>> import simpar
>>>
>>> class Net(nn.Cell):
...     def __init__(self):
...         super(Net, self).__init__()
...         self.matmul = ops.MatMul()
...         self.weight = Parameter(Tensor(np.ones((1, 2)), simpar.float32), name="w", requires_grad=True)
...
...     def construct(self, x):
...         out = self.matmul(self.weight, x)
...         return out
>>> net = Net()
>>> x = Tensor(np.ones((2, 1)), simpar.float32)
>>> print(net(x))
[[2.]]
>>> net.weight.set_data(Tensor(np.zeros((1, 2)), simpar.float32))
Parameter (name=w, shape=(1, 2), dtype=Float32, requires_grad=True)
>>> print(net(x))
[[0.]]
"""


@pytest.mark.parametrize("mode", [simpar.GRAPH_MODE, simpar.PYNATIVE_MODE])
def test_the_example_of_the_reference_page_prints_what_it_says(mode: int) -> None:
    simpar.set_context(mode=mode)
    example = doctest.DocTestParser().get_doctest(EXAMPLE, vars(ModuleType("page")), "page", None, 0)
    runner = doctest.DocTestRunner(verbose=False)
    assert runner.run(example).failed == 0
