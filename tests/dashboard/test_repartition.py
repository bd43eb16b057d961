"""A recorded program cut again on the server: what appears, what goes, what it costs, and what removes a collective."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from simpar.layout import OperatorStrategy, ParameterStrategy, StrategyFile, write_strategy_file
from simpar.planning import keep_plans, plan_script
from tests.dashboard.conftest import asking

SCRIPT = """
import numpy as np
import simpar as ms
from simpar import Parameter, nn, ops
from simpar.common.initializer import initializer

ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w1 = Parameter(initializer("normal", (64, 128)), name="w1")
        self.w2 = Parameter(initializer("normal", (128, 16)), name="w2")
        self.gamma = Parameter(initializer("ones", (16,)), name="gamma")
        self.beta = Parameter(initializer("zeros", (16,)), name="beta")
        self.first = ops.MatMul().shard(((2, 1), (1, 4)))
        self.second = ops.MatMul().shard(((2, 4), (4, 1)))
        self.norm = ops.LayerNorm(1, 1)

    def construct(self, x):
        y, _, _ = self.norm(self.second(self.first(x, self.w1), self.w2), self.gamma, self.beta)
        return (y * y).mean()


net = Net()
ms.jit(ms.value_and_grad(net, None, net.trainable_params()))(ms.Tensor(np.zeros((32, 64), np.float32)))
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned")
    script = folder / "net.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return keep_plans(plan_script(script, (), 8, 0), folder=folder / "runs")


@pytest.fixture(scope="module")
def ask(planned: Path) -> Iterator[Callable[..., Any]]:
    with asking(planned.parent) as client:

        def post(path: str, question: Any = None, status: int = 200, **query: Any) -> Any:
            answer: Any = None
            for _ in range(50):
                url = f"/api/runs/{planned.name}/{path}"
                if path == "strategy":
                    answer = client.get(url)
                elif isinstance(question, bytes):
                    headers = {"content-type": "application/octet-stream"}
                    answer = client.post(url, content=question, headers=headers, params=query)
                else:
                    answer = client.post(url, json=question, params=query)
                assert answer.status_code == status, answer.text
                if answer.json().get("state") != "working":
                    break
                time.sleep(0.1)
            return answer.json()

        yield post


def moved(answer: Any, change: str) -> list[tuple[str, str]]:
    return [(m["kind"], m["reader"].split(" (")[0]) for m in answer["movements"] if m["change"] == change]


def test_a_program_tells_its_parameters_over_one_device_matrix(ask: Callable[..., Any]) -> None:
    base = ask("strategy")
    assert (base["can_partition"], base["dev_mat"]) == (True, [2, 4])
    maps = {p["name"]: p["layout"]["tensor_map"] for p in base["parameters"]}
    assert maps == {"w1": [-1, 0], "w2": [0, -1], "gamma": [-1], "beta": [-1]}
    chosen = {o["parameters"][0]: o["strategy"] for o in base["operators"] if o["is_chosen"]}
    assert chosen == {"w1": [[2, 1], [1, 4]], "w2": [[2, 4], [4, 1]]}
    assert {o["primitive"] for o in base["operators"] if o["parameters"] == ["w1"]} == {"MatMul"}


def test_as_recorded_it_moves_what_was_recorded(ask: Callable[..., Any], planned: Path) -> None:
    found = ask("repartition", {})
    with asking(planned.parent) as client:
        recorded = client.get(f"/api/runs/{planned.name}/collectives").json()
    assert found["a"]["messages"] == len(recorded["collectives"])
    assert found["a"]["sent_bytes"] == recorded["sent_bytes"]
    assert (found["b"], {m["change"] for m in found["movements"]}) == (None, {"same"})


def test_a_parameter_cut_the_other_way_brings_new_collectives(ask: Callable[..., Any]) -> None:
    found = ask("repartition", {"b": {"maps": {"w2": [-1, 0]}}, "focus": "w2"})
    # x1 arrives cut by columns; a product cut by w2's columns needs it whole along them
    assert ("all_gather", "matmul") in moved(found, "new")
    assert ("all_reduce", "layer_norm") in moved(found, "gone")
    assert found["b"]["kinds"]["all_gather"] >= 1
    edges = {(e["source"][0], e["kinds"][0], e["is_new"]) for e in found["strip"]["edges"] if e["kinds"]}
    assert ("o", "all_gather", True) in edges
    (op,) = found["operators"]
    assert [lay["tensor_map"] for lay in op["operands"]] == [[1, -1], [-1, 0]]
    assert (found["a"]["sent_bytes"] == found["b"]["sent_bytes"]) is False


def test_bytes_of_a_side_follow_from_the_definition(ask: Callable[..., Any]) -> None:
    """Nothing cut but the batch over 8 ranks: each gradient is all-reduced whole, 2 (n - 1) / n of its bytes."""
    whole = {name: [-1] * n for name, n in (("w1", 2), ("w2", 2), ("gamma", 1), ("beta", 1))}
    found = ask("repartition", {"b": {"dev_mat": [8, 1], "maps": whole}})
    sent = {m["parameter"]: m["sent_b"] for m in found["movements"] if m["parameter"] and m["kind"] == "all_reduce"}
    sizes = {"w1": 64 * 128, "w2": 128 * 16, "gamma": 16, "beta": 16}
    assert sent == {name: 2 * 7 * size * 4 // 8 for name, size in sizes.items()}
    assert found["b"]["parameter_bytes"] == sum(sizes.values()) * 4


def test_a_cut_that_does_not_divide_is_told_of_its_parameter(ask: Callable[..., Any]) -> None:
    found = ask("repartition", {"b": {"dev_mat": [3, 4], "maps": {"w2": [1, -1], "w1": [-1, 0]}}})
    problems = {p["where"]: p["message"] for p in found["b"]["problems"]}
    assert "cannot cut into 3 equal slices" in problems["w2"]
    assert "w1" not in problems


def test_an_index_that_must_be_whole_is_told_with_its_operator(ask: Callable[..., Any]) -> None:
    found = ask("repartition", {"b": {"maps": {"gamma": [0]}}})
    (problem,) = found["b"]["problems"]
    assert problem["where"] == "gamma"
    assert "needs axis 0 of this parameter whole" in problem["message"]


def test_more_devices_stretch_every_strategy(ask: Callable[..., Any]) -> None:
    found = ask("repartition", {"b": {"dev_mat": [4, 16]}})
    assert (found["b"]["ranks"], found["b"]["problems"]) == (64, [])
    assert found["b"]["parameter_bytes"] < found["a"]["parameter_bytes"]
    assert found["b"]["largest_group"] == 16


def test_1024_ranks_take_no_ranks(ask: Callable[..., Any]) -> None:
    found = ask("repartition", {"b": {"dev_mat": [16, 64], "maps": {"w1": [-1, 0]}}})
    assert (found["b"]["ranks"], found["b"]["error"]) == (1024, None)


def test_the_parallel_optimizer_can_be_imagined(ask: Callable[..., Any]) -> None:
    found = ask("repartition", {"b": {"has_optimizer_shards": True}})
    assert found["b"]["error"] is None


def test_operators_that_do_not_exist_are_refused(ask: Callable[..., Any]) -> None:
    assert "no operator 999" in ask("repartition", {"b": {"strategies": {"999": None}}}, status=422)["message"]


def test_runs_without_the_program_say_so(client: TestClient) -> None:
    base = client.get("/api/runs/eight/strategy").json()
    assert (base["can_partition"], base["dev_mat"], len(base["parameters"]) > 0) == (False, [2, 4], True)
    answer = client.post("/api/runs/eight/repartition", json={})
    assert (answer.status_code, answer.json()["error"]) == (409, "no_source")
    assert "Record it again" in answer.json()["message"]


# --- the cheapest change that removes a collective ---


def test_a_remedy_costs_what_the_program_costs_when_it_is_cut_so(ask: Callable[..., Any]) -> None:
    found = ask("repartition", {})
    base = ask("strategy")
    for index in range(found["a"]["messages"]):
        told = ask("remedy", collective=index)
        assert told["sent_before"] in (0, found["a"]["sent_bytes"])
        if not told["found"]:
            assert told["words"]
            continue
        op = told["operator"]
        assert op["id"] in {o["id"] for o in base["operators"]}
        again = ask("repartition", {"b": {"strategies": told["strategies"]}})
        assert again["b"]["sent_bytes"] == told["sent_after"] < told["sent_before"]


def test_the_collective_of_a_gradient_is_explained(ask: Callable[..., Any], planned: Path) -> None:
    with asking(planned.parent) as client:
        rows = client.get(f"/api/runs/{planned.name}/collectives").json()["collectives"]
    gradient = next(r["index"] for r in rows if r["cause"] == "gradient")
    assert "data parallelism" in ask("remedy", collective=gradient)["words"]
    assert ask("remedy", collective=999, status=404)["error"] == "no_collective"


# --- strategy files ---


@pytest.mark.parametrize("is_json", [True, False])
def test_a_strategy_file_is_laid_over_the_program(ask: Callable[..., Any], is_json: bool) -> None:
    file = StrategyFile(
        {"MatMul_w1": OperatorStrategy(((8, 1), (1, 1))), "Conv2D_k": OperatorStrategy(((1,),))},
        {
            "w1": ParameterStrategy((8,), (-1, -1)),
            "w2": ParameterStrategy((2, 4), (0, -1)),
            "other": ParameterStrategy((8,), (0,)),
        },
    )
    found = ask("import", write_strategy_file(file, is_json=is_json))
    assert (found["dev_mat"], found["maps"]) == ([2, 4], {"w1": [-1, -1], "w2": [0, -1]})
    assert list(found["strategies"].values()) == [[[[1, 0], -1], [-1, -1]]]
    assert set(found["unknown"]) == {"Conv2D_k", "other"}
    assert set(found["missing"]) == {"gamma", "beta"}


def test_a_strategy_file_that_does_not_fit_tells_of_each_parameter(ask: Callable[..., Any]) -> None:
    file = StrategyFile(parameters={"w2": ParameterStrategy((5, 7), (1, -1)), "w1": ParameterStrategy((4,), (3, 0))})
    found = ask("import", write_strategy_file(file))
    assert {p["where"] for p in found["problems"]} == {"w1", "w2"}


@pytest.mark.parametrize("data", [b"", b"\x00\xff" * 40, b"{" * 1000, json.dumps({"parallel_layout_item": 5}).encode()])
def test_hostile_files_are_refused(ask: Callable[..., Any], data: bytes) -> None:
    ask("import", data, status=422)


GATHERING = """
import numpy as np
import simpar as ms
from simpar import Parameter, nn, ops
from simpar.common.initializer import initializer

ms.set_auto_parallel_context(parallel_mode="semi_auto_parallel", full_batch=True)
on = ms.parallel.Layout((2, 4), ("x", "y"))


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(initializer("normal", (64, 128)), name="w")
        self.product = ops.MatMul().add_prim_attr("enable_nd_tp", True)
        self.product.shard((on("None", ("x", "y")), on("x", "y")))
        self.relu = ops.ReLU().shard((on("None", ("y", "x")),))

    def construct(self, x):
        return self.relu(self.product(x, self.w)).mean()


net = Net()
ms.jit(net)(ms.Tensor(np.zeros((32, 64), np.float32)))
"""


def test_a_gathering_product_gathers_on_more_ranks_and_is_plain_with_a_strategy_of_its_own(tmp_path: Path) -> None:
    script = tmp_path / "net.py"
    script.write_text(GATHERING, encoding="utf-8")
    kept = keep_plans(plan_script(script, (), 8, 0), folder=tmp_path / "runs")
    with asking(kept.parent) as client:
        url = f"/api/runs/{kept.name}"
        product = next(o["id"] for o in client.get(f"{url}/strategy").json()["operators"] if o["op"] == "matmul")
        alike = {"strategies": {str(product): [[-1, 1], [1, 0]]}}
        for change, kind in (({"dev_mat": [2, 8]}, "reduce_scatter"), (alike, "all_reduce")):
            found: Any = {}
            while found.get("state", "working") == "working":
                found = client.post(f"{url}/repartition", json={"b": change}).json()
            assert (found["b"]["error"], found["b"]["problems"]) == (None, [])
            kinds = [m["kind"] for m in found["movements"] if "matmul" in m["maker"]]
            assert kind in kinds, found["movements"]
