"""The files themselves: both formats, numbers and texts beside Parameters, and files that are broken or foreign."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import simpar as ms
from simpar import nn, ops
from simpar.checkpoint import open_checkpoint
from simpar.errors import CheckpointError, DTypeError, LayoutError, NotYetError
from simpar.parameter import Parameter
from simpar.tensor import Tensor

ENDINGS = pytest.mark.parametrize("ending", ["ckpt", "safetensors"])
TYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
TYPES += ["float16", "float32", "float64"]


class Net(nn.Cell):
    def __init__(self, prefix: str = "") -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.zeros((2, 3), np.float32)), name=prefix + "w")
        self.b = Parameter(Tensor(np.zeros(3, np.float32)), name=prefix + "b")

    def construct(self, x: Tensor) -> Tensor:
        return ops.matmul(x, self.w) + self.b


@ENDINGS
@pytest.mark.parametrize("type_name", TYPES)
def test_every_element_type_comes_back(tmp_path: Path, ending: str, type_name: str) -> None:
    values = {f"a{n}": Tensor(np.arange(n * 2).reshape(n, 2).astype(type_name)) for n in (1, 3)}
    ms.save_checkpoint(values, tmp_path / "a", format=ending)
    for name, found in ms.load_checkpoint(tmp_path / f"a.{ending}", crc_check=True).items():
        np.testing.assert_array_equal(found.asnumpy(), values[name].asnumpy())
        assert found.asnumpy().dtype == type_name


@ENDINGS
def test_numbers_and_texts_stand_beside_parameters(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "deep" / f"net.{ending}"
    ms.save_checkpoint(Net(), path, append_dict={"epoch": 3, "rate": 0.5, "on": True, "who": "näme"})
    found = ms.load_checkpoint(path)
    assert (found["epoch"].item(), found["rate"].item(), found["on"].item()) == (3, 0.5, True)
    assert found["who"] == "näme"
    assert ms.load_param_into_net(Net(), found) == ([], ["epoch", "rate", "on", "who"])


def test_a_list_a_choice_and_prefixes_say_what_is_saved_and_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    listed = [{"name": name, "data": Tensor([1.0])} for name in ("a.x", "a.y", "b.x")]
    ms.save_checkpoint(listed, path, choice_func=lambda name: name != "a.y")
    assert list(ms.load_checkpoint(path)) == ["a.x", "b.x"]
    assert list(ms.load_checkpoint(path, filter_prefix="a")) == ["b.x"]
    assert list(ms.load_checkpoint(path, specify_prefix=("a",))) == ["a.x"]
    with pytest.raises(CheckpointError, match=r"no Parameter that is chosen. It has a\.x, b\.x"):
        ms.load_checkpoint(path, choice_func=lambda name: False)


def test_what_is_not_loaded_is_told_and_a_missing_prefix_is_found(tmp_path: Path) -> None:
    ms.save_checkpoint({"w": Tensor(np.ones((2, 3), np.float32)), "z": Tensor([1.0])}, tmp_path / "a.ckpt")
    given = ms.load_checkpoint(tmp_path / "a.ckpt")
    assert ms.load_param_into_net(Net(), given) == (["b"], ["z"])
    net = Net("network.")
    assert ms.load_param_into_net(net, given) == (["network.b"], ["z"])
    assert net.w.asnumpy().sum() == 6
    assert ms.load_param_into_net(Net("network."), given, strict_load=True)[0] == ["network.w", "network.b"]


def test_floats_are_converted_unless_loading_is_strict(tmp_path: Path) -> None:
    ms.save_checkpoint({"w": Tensor(np.ones((2, 3), np.float64))}, tmp_path / "a.ckpt")
    net = Net()
    ms.load_checkpoint(tmp_path / "a.ckpt", net)
    assert net.w.asnumpy().dtype == np.float32
    with pytest.raises(DTypeError, match="holds Float32, but the checkpoint has Float64"):
        ms.load_checkpoint(tmp_path / "a.ckpt", net, strict_load=True)


def test_another_shape_is_refused_with_both(tmp_path: Path) -> None:
    ms.save_checkpoint({"w": Tensor(np.ones((3, 3), np.float32))}, tmp_path / "a.ckpt")
    with pytest.raises(LayoutError, match=r"shape \(2, 3\) in the network, but \(3, 3\) in the checkpoint"):
        ms.load_checkpoint(tmp_path / "a.ckpt", Net())


def test_a_ckpt_file_is_the_message_that_mindspore_describes(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    ms.save_checkpoint({"w": Tensor(np.array([[1, 2]], np.int8))}, path, crc_check=True)
    value = bytes([0x0A, 1, *b"w", 0x12, 14, 0x08, 1, 0x08, 2, 0x12, 4, *b"Int8", 0x1A, 2, 1, 2])
    assert bytes([0x0A, len(value)]) + value in path.read_bytes()
    assert path.read_bytes()[-17:-10] == b"crc_num"
    path.write_bytes(bytes([0x0A, len(value)]) + value)  # as MindSpore writes it: no manifest
    assert ms.load_checkpoint(path)["w"].asnumpy().tolist() == [[1, 2]]


def test_values_that_stand_in_several_parts_are_one(tmp_path: Path) -> None:
    part = bytes([0x0A, 1, *b"w", 0x12, 15, 0x08, 4, 0x12, 5, *b"UInt8", 0x1A, 2])
    whole = b"".join(bytes([0x0A, len(part) + 2]) + part + bytes(pair) for pair in ((1, 2), (3, 4)))
    (tmp_path / "a.ckpt").write_bytes(whole.replace(bytes([0x12, 15]), bytes([0x12, 13])))
    assert ms.load_checkpoint(tmp_path / "a.ckpt")["w"].asnumpy().tolist() == [1, 2, 3, 4]


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    data = np.array([1.5, -2.0], np.float32).view(np.uint32) >> 16
    (tmp_path / "a.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header + data.astype(np.uint16).tobytes()
    )
    assert ms.load_checkpoint(tmp_path / "a.safetensors")["w"].asnumpy().tolist() == [1.5, -2.0]


# --- broken and foreign files ---


@ENDINGS
def test_a_file_that_is_cut_short_anywhere_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    ms.save_checkpoint({"w": Tensor(np.arange(6.0, dtype=np.float32)), "b": Tensor([1.0])}, path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=str(path)):
            ms.load_checkpoint(path)


@ENDINGS
def test_a_changed_value_is_found_by_its_checksum(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    ms.save_checkpoint({"w": Tensor([1.0, 2.0]), "b": Tensor([3.0])}, path, crc_check=ending == "ckpt")
    data = path.read_bytes()
    at = data.index(np.float32(2.0).tobytes())
    path.write_bytes(data[:at] + np.float32(2.5).tobytes() + data[at + 4 :])
    assert open_checkpoint(path).damaged()[0] == "w"
    with pytest.raises(CheckpointError, match="damaged: the checksums of w"):
        ms.load_checkpoint(path, crc_check=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80))
@example(data=b"")
@example(data=(2**40).to_bytes(8, "little") + b"{}")
@example(data=(2).to_bytes(8, "little") + b"{]")
@example(data=b"PK\x03\x04" + bytes(40))
def test_foreign_bytes_give_an_error_that_names_the_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.ckpt").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"a\.ckpt"):
        ms.load_checkpoint(tmp_path / "a.ckpt")


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 8]},
        {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]},
        {"dtype": "F32", "shape": [200], "data_offsets": [0, 800]},
        [],
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, entry: Any) -> None:
    header = json.dumps({"w": entry}).encode()
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    with pytest.raises(CheckpointError, match=r"a\.safetensors (has a broken header|is cut short).*Save or copy it"):
        ms.load_checkpoint(tmp_path / "a.safetensors")


def test_a_type_that_simpar_does_not_have_is_named(tmp_path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}).encode()
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(2))
    with pytest.raises(CheckpointError, match="'w' has type F8_E4M3, which simpar cannot read"):
        ms.load_checkpoint(tmp_path / "a.safetensors")


def test_complex_numbers_are_kept_if_the_format_has_their_type(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    ms.save_checkpoint({"w": Tensor(np.array([1 + 2j], np.complex64))}, path)
    assert ms.load_checkpoint(path)["w"].tolist() == [1 + 2j]
    with pytest.raises(CheckpointError, match="'w' has type complex128, which safetensors files cannot hold"):
        ms.save_checkpoint({"w": Tensor(np.array([1j], np.complex128))}, path)


def test_the_library_reads_what_is_saved_and_writes_what_is_loaded(tmp_path: Path) -> None:
    values = {"b": np.arange(6.0, dtype=np.float32).reshape(2, 3), "a": np.array([True, False]), "n": np.int64(3)}
    ms.save_checkpoint({name: Tensor(v) for name, v in values.items()}, tmp_path / "ours.safetensors")
    for name, value in load_file(tmp_path / "ours.safetensors").items():
        np.testing.assert_array_equal(value, values[name])
    save_file({name: np.asarray(v) for name, v in values.items()}, tmp_path / "theirs.safetensors")
    for file in ("ours", "theirs"):
        loaded = ms.load_checkpoint(tmp_path / f"{file}.safetensors")
        assert {name: p.asnumpy().tolist() for name, p in loaded.items()} == {n: v.tolist() for n, v in values.items()}


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    ms.save_checkpoint({"w": Tensor([1.0])}, path)

    class Broken(Tensor):
        def asnumpy(self) -> Any:
            raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        ms.save_checkpoint({"w": Broken([2.0])}, path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.ckpt"]
    assert ms.load_checkpoint(path)["w"].asnumpy().tolist() == [1.0]


def test_places_keys_and_things_that_cannot_be_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="cannot be written"):
        ms.save_checkpoint({"w": Tensor([1.0])}, tmp_path / "file" / "a.ckpt")
    with pytest.raises(CheckpointError, match="cannot be read"):
        ms.load_checkpoint(tmp_path / "none.ckpt")
    with pytest.raises(NotYetError, match="enc_key"):
        ms.save_checkpoint({"w": Tensor([1.0])}, tmp_path / "a.ckpt", enc_key=b"0" * 16)
    with pytest.raises(NotYetError, match="dec_key"):
        ms.load_checkpoint(tmp_path / "a.ckpt", dec_key=b"0" * 16)
    with pytest.raises(DTypeError, match="a Cell, a dictionary or a list"):
        ms.save_checkpoint(3, tmp_path / "a.ckpt")
