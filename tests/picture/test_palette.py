"""The palette of Python's drawings is that of the inspector's, read from its sources."""

import re
from pathlib import Path

import pytest

from simpar.picture import COLORS, KINDS, MEMORY, kind_of, ramp, soft_ramp

WEB = Path(__file__).resolve().parents[2] / "web" / "src" / "draw"
PALETTE = (WEB / "palette.ts").read_text("utf-8")


def colors_of(name: str) -> dict[str, str]:
    block = PALETTE.split(f"export const {name}: Palette = {{", 1)[1].split("}", 1)[0]
    return dict(re.findall(r'(\w+): "(#[0-9a-f]{6})"', block))


def test_colours_are_those_of_the_inspector() -> None:
    assert {name: tone.light for name, tone in COLORS.items()} == colors_of("LIGHT")
    assert {name: tone.dark for name, tone in COLORS.items()} == colors_of("DARK")


def test_kinds_of_movement_have_the_colours_and_signs_of_the_inspector() -> None:
    block = PALETTE.split("const KINDS", 1)[1].split("\n};", 1)[0]
    found = re.findall(r'(\w+): \{ words: "\w+", color: "(#\w+)", sign: "(.+?)" \}', block)
    assert {name: (kind.color, kind.sign) for name, kind in KINDS.items()} == {n: (c, s) for n, c, s in found}
    assert f'color: "{kind_of("matmul").color}", sign: "" }}' in PALETTE


def test_classes_of_memory_have_the_colours_of_the_inspector() -> None:
    block = (WEB / "memory.ts").read_text("utf-8").split("const COLORS", 1)[1].split("};", 1)[0]
    assert dict(MEMORY) == dict(re.findall(r'"?([a-z][\w ]+?)"?: "(#\w+)"', block))


# viridis as its authors publish it (256 colours), at the ends and in the middle of the stretches used here
@pytest.mark.parametrize(
    ("tone", "expected"),
    [
        (ramp(0, 2).light, 0x414487),
        (ramp(1, 2).light, 0xB0DD2F),
        (ramp(0, 1).light, 0x1F9A8A),
        (ramp(0, 2).dark, 0x3A548C),
        (ramp(1, 2).dark, 0xA2DA37),
        (ramp(0, 1).dark, 0x1F9F88),
    ],
)
def test_the_ramp_of_slices_is_viridis(tone: str, expected: int) -> None:
    channels = [int(tone[i : i + 2], 16) for i in (1, 3, 5)]
    assert channels == pytest.approx([expected >> 16, expected >> 8 & 255, expected & 255], abs=4)


def test_the_ramp_uses_the_stretches_of_the_inspector() -> None:
    assert "palette.isDark ? [0.26, 0.86] : [0.2, 0.88]" in PALETTE
    assert "palette.isDark ? 0.62 : 0.66" in PALETTE


def test_slices_of_one_layout_differ_in_colour() -> None:
    assert len({soft_ramp(i, 8) for i in range(8)}) == 8
