"""MPI's noise goes, the user's text stays, whatever pieces the stream comes in."""

from hypothesis import given
from hypothesis import strategies as st

from simpar.launch.noise import NoiseFilter

FRAME = b"-" * 74 + b"\n"
ABORT = FRAME + b"MPI_ABORT was invoked on rank 2 in communicator MPI_COMM_WORLD\n  Errorcode: 1\n\nNOTE: ...\n" + FRAME
ENDED = FRAME + b'prterun has exited due to process rank 2 with PID 0 on node vm calling\n"abort". This may\n' + FRAME
LINE = b"Abort(1) on node 2 (rank 2 in comm 0): application called MPI_Abort(MPI_COMM_WORLD, 1) - process 2\n"
SIGNAL = FRAME + b"prterun noticed that process rank 1 with PID 7 on node vm exited on\nsignal 9 (Killed).\n" + FRAME
HYDRA = (
    b"=" * 83 + b"\n=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES\n=   EXIT CODE: 9\n" + b"=" * 83 + b"\n"
    b"YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)\n"
    b"This typically refers to a problem with your application.\nPlease see the FAQ page for debugging suggestions\n"
)
MINE = (b"loss 0.5\n", FRAME, b"-----\n", b"\n", b"Aborted by me\n", b"=" * 83 + b"\n", b"no end of line")


def passed(pieces: list[bytes]) -> bytes:
    noise = NoiseFilter()
    return b"".join(map(noise.feed, pieces)) + noise.end()


def cut(text: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(text) + 1) for place in places})
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_noise_goes_in_whatever_pieces_it_comes(places: list[int]) -> None:
    text = b"before\n" + ABORT + b"between\n" + LINE + ENDED + b"after\n"
    assert passed(cut(text, places)) == b"before\nbetween\nafter\n"


@given(st.lists(st.sampled_from(MINE), max_size=8), st.lists(st.integers(0, 10_000), max_size=8))
def test_the_users_text_stays_byte_for_byte(parts: list[bytes], places: list[int]) -> None:
    text = b"".join(parts)
    assert passed(cut(text, places)) == text


@given(st.binary(max_size=200).map(lambda data: data.replace(b"\0", b"")))
def test_any_bytes_stay(data: bytes) -> None:
    assert passed([data]) == data


def test_open_mpis_word_about_a_signal_stays() -> None:
    assert passed([SIGNAL]) == SIGNAL


def test_mpichs_banner_about_a_signal_becomes_a_line() -> None:
    assert passed([b"mine\n", HYDRA]) == b"mine\na rank was ended by a signal: Killed (signal 9)\n"


def test_a_signal_of_our_own_is_no_news() -> None:
    noise = NoiseFilter()
    noise.is_stopping = True
    assert noise.feed(HYDRA) + noise.end() == b""


def test_text_that_cannot_be_noise_is_shown_at_once() -> None:
    assert NoiseFilter().feed(b"loss 0.5, epo") == b"loss 0.5, epo"


def test_text_that_may_be_noise_is_held_until_it_is_clear() -> None:
    noise = NoiseFilter()
    assert noise.feed(b"-----") == b""
    assert noise.is_holding
    assert noise.feed(b" mine") == b"----- mine"


def test_a_crash_of_the_launcher_while_it_stops_the_ranks_is_left_out() -> None:
    stream = NoiseFilter()
    crash = b"prterun: tpp.c:83: __pthread_tpp_change_priority: Assertion `new_prio == -1' failed.\n"
    assert stream.feed(b"ValueError: no data\n" + crash) == b"ValueError: no data\n"
    assert stream.feed(b"prterun: something else\n") == b"prterun: something else\n"
    assert stream.end() == b""
