"""Runs a plan on numpy slices.

Planned once, replayed many times: every value has its array before the first step, every instruction is a call
without arguments, and a step is a loop over calls. Read in this order: ``memory`` (who may overlap whom), ``buffers``
(the array of every value), ``moves`` (collectives as calls), ``executor`` (the loop),
``foreseen`` (how much memory a plan will take), ``whole`` (a value from its slices, to look at).
"""

from simpar.execute.executor import Executor, run_collective
from simpar.execute.foreseen import PlannedMemory, foresee_memory
from simpar.execute.whole import full_tensor, gather_slices

__all__ = ["Executor", "PlannedMemory", "foresee_memory", "full_tensor", "gather_slices", "run_collective"]
