"""Plans of pipelines: who holds what, what is sent, in which order, and how much memory it takes."""

from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import pytest

import simpar as ms
from simpar import Parameter, Tensor, nn, ops
from simpar.collectives import run_threads
from simpar.errors import SimparError, StrategyError, WorldError
from simpar.execute import foresee_memory
from simpar.partition import Plan
from tests.compile.planning import plan_of, plans_of, semi_auto
from tests.pipeline.nets import Chain, Make, Tied, X, Y

GPIPE = {"pipeline_config": {"pipeline_scheduler": "gpipe"}}


def plans(make: Make, n: int, stages: int, micro: int, **options: Any) -> list[Plan]:
    return plans_of(partial(build, make, micro), **semi_auto(n, pipeline_stages=stages, **options))


def build(make: Make, micro: int) -> Any:
    net = make()
    loss = nn.PipelineCell(nn.WithLossCell(net, nn.MSELoss()), micro)
    return nn.TrainOneStepCell(loss, nn.Momentum(net.trainable_params(), 0.1, 0.9)), [Tensor(X), Tensor(Y)]


def turns(plan: Plan) -> str:
    """Return what a rank does for which micro-batch, in order."""
    sign = {"send": ">", "receive": "<"}
    words = (f"{sign.get(i.op, i.phase[0].upper())}{i.micro}" for i in plan.instructions if i.micro >= 0)
    return " ".join(word for word, _ in groupby(words))


def test_a_rank_holds_the_parameters_of_its_stage_and_their_states() -> None:
    for rank, plan in enumerate(plans(partial(Chain, (0, 0, 1)), 4, 2, 4)):
        names = {p.spec.name for p in plan.parameters}
        ours = {"blocks.0.w", "blocks.1.w"} if rank < 2 else {"blocks.2.w"}
        assert {n for n in names if n.startswith("blocks") and n.endswith("w")} == ours
        assert {n for n in names if n.startswith("moments") and n.endswith("w")} == {f"moments.{n}" for n in ours}
        assert "learning_rate" in names, "every stage has it"


def test_layouts_count_the_devices_of_a_stage_and_name_its_ranks() -> None:
    plan = plans(partial(Chain, (0, 1), (2, 2)), 8, 2, 2)[6]
    (w,) = (p for p in plan.parameters if p.spec.name == "blocks.1.w")
    assert (w.value.layout.dev_mat, w.value.layout.rank_list, w.value.slice_shape) == ((2, 2), (4, 5, 6, 7), (4, 8))
    sums = [c for c in plan.collectives if c.kind == "all_reduce"]
    assert {c.group for c in sums} == {(6, 7), (4, 6)}


def test_each_rank_sends_to_the_one_in_its_place() -> None:
    made = plans(partial(Chain, (0, 1)), 4, 2, 2)
    assert {c.group for c in made[1].collectives if c.kind == "send"} == {(1, 3)}
    assert {c.group for c in made[1].collectives if c.kind == "receive"} == {(3, 1)}
    assert {c.message_bytes for c in made[1].collectives if c.kind == "send"} == {12 * 8 * 4}


def test_all_ranks_have_one_text_and_digest() -> None:
    assert len({(p.text, p.digest) for p in plans(partial(Chain, (0, 1)), 4, 2, 2)}) == 1


def test_the_order_of_a_stage_is_that_of_its_schedule() -> None:
    first, second = plans(partial(Chain, (0, 1)), 2, 2, 3)
    assert turns(first) == "F0 >0 F1 >1 <0 B0 F2 >2 <1 B1 <2 B2"
    assert turns(second) == "<0 F0 B0 >0 <1 F1 B1 >1 B1 <2 F2 B2 >2 B2"
    assert turns(plans(partial(Chain, (0, 1)), 2, 2, 3, **GPIPE)[0]) == "F0 >0 F1 >1 F2 >2 <2 B2 <1 B1 <0 B0"


def test_a_shared_parameter_is_sent_once_and_its_gradient_comes_back_once() -> None:
    first, second = plans(partial(Tied, (0, 1)), 2, 2, 4)
    causes = [c.cause for c in first.collectives if c.kind == "send"]
    assert causes.count("parameter table, stage 0 to 1") == 1
    assert [c.cause for c in second.collectives].count("gradient of table, stage 1 to 0") == 1
    assert [p.spec.name for p in second.parameters if p.spec.name == "table"] == []


def test_1f1b_needs_less_memory_than_gpipe() -> None:
    chain = partial(Chain, (0, 0, 0, 0, 1))
    one, other = plans(chain, 2, 2, 12), plans(chain, 2, 2, 12, **GPIPE)
    assert foresee_memory(one[0]).arena_bytes < 0.7 * foresee_memory(other[0]).arena_bytes


def test_accumulation_reduces_each_gradient_once_and_keeps_the_activations_of_one_micro_batch() -> None:
    def plan(micro: int) -> Plan:
        def make() -> Any:
            net = Chain((0, 0, 0), (2, 1))
            loss = nn.GradAccumulationCell(nn.WithLossCell(net, nn.MSELoss()), micro)
            big = Tensor(np.zeros((768, 8), np.float32))
            return nn.TrainOneStepCell(loss, nn.SGD(net.trainable_params(), 0.1)), [big, big]

        return plan_of(make, **semi_auto(2))

    one, many = plan(1), plan(12)
    gradients = [c for c in many.collectives if "gradient" in c.cause]
    assert [len(c.parameters) for c in gradients] == [6]
    assert foresee_memory(many).arena_bytes < 0.6 * foresee_memory(one).arena_bytes


def test_ranks_that_are_given_rows_of_their_own_cut_their_micro_batches_out_of_them() -> None:
    dealt = {"full_batch": False, "dataset_strategy": "data_parallel"}
    made = plans(partial(Chain, (0, 1), (2, 1)), 4, 2, 4, **dealt)[3]
    assert {c.kind for c in made.collectives} == {"send", "receive", "all_reduce", "broadcast"}
    assert {made.values[v].slice_shape for i in made.instructions if i.op == "micro_batch" for v in i.outputs} == {
        (6, 8)
    }


def test_rows_of_their_own_train_as_all_rows_do_on_one_device() -> None:
    def work(dp: int, stages: int) -> list[float]:
        ms.set_seed(3)
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", pipeline_stages=stages)
        net = Chain((0, stages - 1), (dp, 1))
        loss = nn.PipelineCell(nn.WithLossCell(net, nn.MSELoss()), 3)
        step = nn.TrainAccumulatedStepCell(loss, nn.Adam(net.trainable_params(), 0.02))
        rows = slice(*(24 // dp * (ms.communication.get_rank() % dp + k) for k in (0, 1)))
        return [step(Tensor(X[rows]), Tensor(Y[rows])).item() for _ in range(3)]

    alone = run_threads(1, work, 1, 1)[0]
    np.testing.assert_allclose(run_threads(4, work, 2, 2)[0], alone, rtol=1e-5)


# --- programs beside the step of training ---


def test_an_evaluation_uses_the_parameters_where_they_are() -> None:
    def work(stages: int) -> Any:
        ms.set_seed(3)
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, pipeline_stages=stages)
        net = Chain((0, stages - 1))
        step = nn.TrainOneStepCell(nn.PipelineCell(nn.WithLossCell(net, nn.MSELoss()), 2), nn.SGD(net.get_parameters()))
        step(Tensor(X), Tensor(Y))
        return net(Tensor(X)).asnumpy()

    alone = run_threads(1, work, 1)[0]
    for out in run_threads(4, work, 2):
        np.testing.assert_allclose(out, alone, rtol=1e-5, atol=1e-6)


def test_gradients_may_go_from_one_program_to_another() -> None:
    def work(stages: int) -> Any:
        ms.set_seed(3)
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, pipeline_stages=stages)
        net = Chain((0, stages - 1))
        optimizer = nn.Adam(net.trainable_params(), 0.01)
        loss = nn.PipelineCell(nn.WithLossCell(net, nn.MSELoss()), 2)
        forward = ms.value_and_grad(loss, None, net.trainable_params())
        losses: list[float] = []
        for _ in range(2):
            value, gradients = forward(Tensor(X), Tensor(Y))
            optimizer(gradients)
            losses.append(value.item())
        return losses

    alone = run_threads(1, work, 1)[0]
    np.testing.assert_allclose(run_threads(2, work, 2)[0], alone, rtol=1e-5)


def test_a_gradient_norm_over_all_stages_is_that_of_one_device() -> None:
    def work(stages: int) -> Any:
        ms.set_seed(3)
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, pipeline_stages=stages)
        net = Chain((0, stages - 1))
        optimizer = nn.SGD(net.trainable_params(), 0.1)
        forward = ms.value_and_grad(
            nn.PipelineCell(nn.WithLossCell(net, nn.MSELoss()), 2), None, net.trainable_params()
        )

        @ms.jit
        def step(x: Tensor, y: Tensor) -> Any:
            loss, gradients = forward(x, y)
            optimizer(ops.clip_by_global_norm(gradients, 0.1))
            return loss

        return [step(Tensor(X), Tensor(Y)).item() for _ in range(3)]

    np.testing.assert_allclose(run_threads(2, work, 2)[0], run_threads(1, work, 1)[0], rtol=1e-5)


def test_a_parameter_of_another_stage_says_where_it_is() -> None:
    def work() -> str:
        ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True, pipeline_stages=2)
        net = Chain((0, 1))
        net(Tensor(X))
        other = net.blocks[0 if ms.communication.get_rank() else 1].w
        with pytest.raises(WorldError) as caught:
            other.asnumpy()
        return str(caught.value)

    for rank, message in enumerate(run_threads(2, work)):
        assert f"on ranks {1 - rank}." in message
        assert "full_tensor" in message


# --- what does not fit ---


class Loose(nn.Cell):
    """One weight and one product."""

    def __init__(self, stage: int | None) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.eye(8, dtype=np.float32)), name="w")
        if stage is not None:
            self.pipeline_stage = stage

    def construct(self, x: Tensor) -> Tensor:
        return ops.matmul(x, self.w)


def refusal(make: Make, micro: int = 4, n: int = 4, stages: int = 2) -> str:
    with pytest.raises(SimparError) as caught:
        plans(make, n, stages, micro)
    assert isinstance(caught.value, RuntimeError), "MindSpore raises RuntimeError"
    return str(caught.value)


def test_fewer_micro_batches_than_stages_are_refused() -> None:
    message = refusal(partial(Chain, (0, 1, 2, 3)), micro=2, stages=4)
    assert "2 micro-batches, but there are 4 stages" in message


def test_a_later_cell_on_an_earlier_stage_is_refused() -> None:
    message = refusal(partial(Chain, (0, 1, 0)))
    assert "blocks" in message or "in 2" in message
    assert "is on stage 0, but what it takes comes from a later stage" in message


def test_a_stage_that_does_not_exist_is_refused() -> None:
    assert "pipeline_stage 2, but pipeline_stages is 2" in refusal(partial(Chain, (0, 2)))


def test_a_stage_without_a_cell_is_refused() -> None:
    assert "no Cell that runs has pipeline_stage 1" in refusal(partial(Chain, (0, 0)))
    assert "no Cell that runs has pipeline_stage 0" in refusal(lambda: Loose(None))


def test_devices_that_do_not_divide_into_stages_are_refused() -> None:
    assert "5 devices do not divide into 2 stages" in refusal(partial(Chain, (0, 1)), n=5)


def test_a_batch_that_does_not_divide_into_micro_batches_is_refused() -> None:
    with pytest.raises(ValueError, match=r"input\(24\) must be divided by micro size\(5\)"):
        plans(partial(Chain, (0, 1)), 2, 2, 5)


def test_a_strategy_for_more_devices_than_a_stage_has_is_refused() -> None:
    with pytest.raises(StrategyError, match="4"):
        plans(partial(Chain, (0, 1), (4, 1)), 4, 2, 2)
