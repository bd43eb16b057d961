"""Tiles of slices, stitched, are the means of cells of the whole tensor, whatever the layout."""

from math import prod
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from simpar.layout import NOT_CUT, Layout
from simpar.recorder import coarsened, pooled, stitched, tile_shape


@st.composite
def layouts(draw: st.DrawFn) -> tuple[Layout, tuple[int, ...]]:
    """Draw a layout, and the shape of a tensor that it cuts evenly."""
    dev_mat = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)))
    axes = draw(st.permutations(range(len(dev_mat))))
    ndim = draw(st.integers(0, 4))
    tensor_map = tuple(axes[i] if i < len(axes) and draw(st.booleans()) else NOT_CUT for i in range(ndim))
    layout = Layout(dev_mat, tensor_map)
    lengths = [draw(st.integers(1, 7)) for _ in range(ndim)]
    return layout, tuple(n * c for n, c in zip(lengths, layout.cuts, strict=True))


def by_definition(whole: NDArray[Any], edges: list[list[int]]) -> NDArray[Any]:
    """Take the mean of every cell, one after the other."""
    found = np.empty([len(e) - 1 for e in edges])
    for at in np.ndindex(found.shape):
        found[at] = whole[tuple(slice(e[i], e[i + 1]) for e, i in zip(edges, at, strict=True))].mean()
    return found


@given(layouts(), st.integers(1, 60), st.integers(1, 60), st.booleans(), st.integers(0, 2**32 - 1))
def test_stitched_tiles_are_means_of_the_whole_tensor(
    given_layout: tuple[Layout, tuple[int, ...]], most: int, fewer: int, is_broken: bool, seed: int
) -> None:
    layout, shape = given_layout
    whole = np.random.default_rng(seed).normal(size=shape)
    if is_broken:
        whole[tuple(n // 2 for n in shape)] = np.nan
    tiles, edges = {}, ()
    for rank in layout.ranks:
        mine = whole[tuple(slice(a, b) for a, b in layout.box(shape, rank))]
        tile = pooled(mine, tile_shape(mine.shape, most))
        tiles[layout.slice_index(rank)], edges = coarsened(tile, mine.shape, fewer)
        assert tile.size <= most
        assert tiles[layout.slice_index(rank)].size <= fewer
    everywhere = [sorted({b * e[-1] + i for b in range(c) for i in e}) for e, c in zip(edges, layout.cuts, strict=True)]
    np.testing.assert_allclose(stitched(tiles, layout.cuts), by_definition(whole, everywhere), rtol=1e-5, atol=1e-6)


@given(st.lists(st.integers(1, 300), max_size=4), st.integers(1, 2000))
def test_tiles_use_the_cells_they_may_have(shape: list[int], most: int) -> None:
    cells = tile_shape(shape, most)
    assert prod(cells) <= most
    assert all(1 <= c <= n for c, n in zip(cells, shape, strict=True))
    more = [min(n, max(cells, default=1) + 1) for n in shape]
    assert cells == tuple(shape) or prod(more) > most


def test_a_slice_that_is_missing_is_not_a_number() -> None:
    found = stitched({1: np.ones((1, 2), np.float32)}, (1, 2))
    np.testing.assert_array_equal(found, [[np.nan, np.nan, 1, 1]])
