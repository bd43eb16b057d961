"""``simpar checkpoint``: what it lists, what it finds damaged, what it writes, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

import simpar as ms
from simpar.cli import main
from simpar.tensor import Tensor


def run(*arguments: object) -> int:
    """Run the command, and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["checkpoint", *map(str, arguments)])
    return int(ended.value.code or 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.ckpt"
    ms.save_checkpoint({"w[0]": Tensor([1.0, 2.0]), "n": Tensor(3)}, path, append_dict={"who": "I"})
    return path


def test_inspect_lists_tensors_and_texts(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", file) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("w[0]", "float32", "(2,)", "who", "I"))
    assert run("inspect", file, "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["texts"] == {"who": "I"}
    assert [t["shape"] for t in found["tensors"]] == [[2], []]


def test_verify_tells_which_tensor_is_damaged_and_fails(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", file) == 0
    file.write_bytes(file.read_bytes().replace(np.float32(2).tobytes(), np.float32(2.5).tobytes()))
    assert run("verify", file) == 1
    assert "damaged: w[0]" in capsys.readouterr().out


def test_convert_writes_the_other_format(file: Path) -> None:
    target = file.with_name("net.safetensors")
    assert run("convert", file, target) == 0
    found = ms.load_checkpoint(target, crc_check=True)
    assert (found["w[0]"].asnumpy().tolist(), found["who"]) == ([1.0, 2.0], "I")


def test_what_cannot_be_done_is_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("convert", file) == 1
    assert run("convert", file, file.with_suffix(".pt")) == 1
    assert run("inspect", file.with_name("none.ckpt")) == 1
    said = capsys.readouterr().err
    assert all(words in said for words in ("takes two files", "must end in .ckpt", "cannot be read"))
    assert run("mend", file) == 2
