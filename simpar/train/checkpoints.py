"""Checkpoints during a training: when they are saved, under which names, and which of them are kept."""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, cast

from simpar.checkpoint import save_checkpoint
from simpar.context import current
from simpar.errors import ContextError, DTypeError, NotYetError
from simpar.nn import Cell
from simpar.parameter import Parameter
from simpar.tensor import Tensor
from simpar.train.callbacks import Callback, RunContext

__all__ = ["CheckpointConfig", "ModelCheckpoint"]

_ENDINGS = (".ckpt", ".safetensors")
_NUMBERS = ("epoch_num", "step_num")


class CheckpointConfig:
    """Says when ``ModelCheckpoint`` saves, what, and how many files it keeps.

    Args:
        save_checkpoint_steps: after every how many steps.
        save_checkpoint_seconds: after how many seconds, if ``save_checkpoint_steps`` is 0 or None.
        keep_checkpoint_max: how many files of this training to keep; the oldest are removed.
        keep_checkpoint_per_n_minutes: of every so many minutes one file is kept, if ``keep_checkpoint_max`` is 0.
        integrated_save: whether slices are put together; see ``save_checkpoint``.
        async_save: taken; each file is complete when the next step begins.
        saved_network: what is saved; the training network with the optimizer's states if None.
        append_info: ``"epoch_num"``, ``"step_num"``, and a dictionary, to be saved as well.
        enc_key: refused: nothing is encrypted.
        enc_mode: taken; changes nothing.
        exception_save: whether this rank's Parameters are saved when the training ends by an error.
        crc_check: see ``save_checkpoint``.
        remove_redundancy: taken; slices that ranks share are saved by each.
        format: ``"ckpt"`` or ``"safetensors"``.
        **kwargs: more of MindSpore's; taken, changes nothing.

    Raises:
        ContextError: a number is below 0, or all four are 0.
        DTypeError: ``saved_network`` is no Cell, or ``append_info`` holds something else.
        NotYetError: ``enc_key`` is given.
    """

    def __init__(
        self,
        save_checkpoint_steps: int | None = 1,
        save_checkpoint_seconds: int | None = 0,
        keep_checkpoint_max: int | None = 5,
        keep_checkpoint_per_n_minutes: int | None = 0,
        integrated_save: bool = True,
        async_save: bool | str = False,
        saved_network: Cell | None = None,
        append_info: Sequence[Any] | None = None,
        enc_key: bytes | None = None,
        enc_mode: str = "AES-GCM",
        exception_save: bool = False,
        crc_check: bool = False,
        remove_redundancy: bool = False,
        format: str = "ckpt",
        **kwargs: Any,
    ) -> None:
        numbers = (
            save_checkpoint_steps,
            save_checkpoint_seconds,
            keep_checkpoint_max,
            keep_checkpoint_per_n_minutes,
        )
        if not any(numbers) or any(n is not None and (isinstance(n, bool) or n < 0) for n in numbers):
            raise ContextError(f"CheckpointConfig{numbers}: give steps, seconds, files or minutes, none below 0.")
        if enc_key is not None:
            raise NotYetError("CheckpointConfig does not encrypt; leave out enc_key.")
        if saved_network is not None and not isinstance(saved_network, Cell):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"saved_network is {saved_network!r}; give a Cell.")
        self.save_checkpoint_steps = save_checkpoint_steps
        self.save_checkpoint_seconds = None if save_checkpoint_steps else save_checkpoint_seconds
        self.keep_checkpoint_max = keep_checkpoint_max or (0 if keep_checkpoint_per_n_minutes else 1)
        self.keep_checkpoint_per_n_minutes = None if keep_checkpoint_max else keep_checkpoint_per_n_minutes
        self.integrated_save, self.async_save, self.saved_network = integrated_save, async_save, saved_network
        self.enc_key, self.enc_mode, self.crc_check, self.format = enc_key, enc_mode, crc_check, format
        self.exception_save, self.remove_redundancy = exception_save, remove_redundancy
        self.append_dict = _append_dict(append_info)

    def get_checkpoint_policy(self) -> dict[str, Any]:
        """Return when and what is saved, by the arguments' names."""
        names = ("save_checkpoint_steps", "save_checkpoint_seconds", "keep_checkpoint_max")
        return {n: getattr(self, n) for n in (*names, "keep_checkpoint_per_n_minutes", "saved_network")}


def _append_dict(given: Sequence[Any] | None) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for item in given or ():
        if item in _NUMBERS if isinstance(item, str) else False:
            found[item] = 0
        elif isinstance(item, dict) and all(
            isinstance(v, int | float | str | Tensor | Parameter) for v in cast("dict[Any, Any]", item).values()
        ):
            found |= cast("dict[str, Any]", item)
        else:
            raise DTypeError(f"append_info has {item!r}; give 'epoch_num', 'step_num', or a dictionary of values.")
    return found or None


class ModelCheckpoint(Callback):
    """Saves the network while it trains: ``<prefix>-<epoch>_<step>.ckpt``.

    Ranks that share their disk save into folders of their own where they save slices:
    ``directory=f"./rank_{get_rank()}"``.

    Args:
        prefix: what file names begin with; ``_1``, ``_2`` … is added if the folder has files of this prefix. Or a
            function of the training's state that returns the name without its ending.
        directory: the folder, made if it is not there; or a function of the state that returns it; the present one if
            None.
        config: when, what, how many; each step, everything, five files if None.

    Raises:
        ContextError: ``prefix`` holds a ``/`` or is no text.
        DTypeError: ``config`` is no ``CheckpointConfig``.
    """

    def __init__(
        self,
        prefix: str | Callable[[Any], str] = "CKP",
        directory: str | Callable[[Any], str] | None = None,
        config: CheckpointConfig | None = None,
    ) -> None:
        if not callable(prefix) and (not isinstance(prefix, str) or "/" in prefix):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ContextError(f"ModelCheckpoint: prefix is {prefix!r}; give a text without '/', or a function.")
        if config is not None and not isinstance(config, CheckpointConfig):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"ModelCheckpoint: config is {config!r}; give a CheckpointConfig.")
        self._config = CheckpointConfig() if config is None else config
        self._prefix = prefix
        self._directory = "." if directory is None else directory
        if not callable(prefix) and not callable(self._directory):
            self._prefix = _unused(Path(self._directory), prefix)
        self._files: list[Path] = []  # that this training saved and keeps, oldest first
        self._latest, self._saved_step, self._saved_s, self._kept_s = "", 0, monotonic(), -float("inf")
        self._context: RunContext | None = None

    @property
    def latest_ckpt_file_name(self) -> str:
        """The file saved last."""
        return self._latest

    def begin(self, run_context: RunContext) -> None:
        """Note what is trained."""
        self._context = run_context
        self._saved_step = run_context.original_args().cur_step_num

    def step_end(self, run_context: RunContext) -> None:
        """Save, if it is time to."""
        state, config = run_context.original_args(), self._config
        if config.save_checkpoint_steps:
            is_due = state.cur_step_num >= self._saved_step + config.save_checkpoint_steps
        else:
            is_due = bool(config.save_checkpoint_seconds) and self._time_is_over()
        if is_due:
            self._save(state)

    def _time_is_over(self) -> bool:
        """Return what rank 0's clock says, so that all ranks save after the same step."""
        is_over = monotonic() - self._saved_s > (self._config.save_checkpoint_seconds or 0)
        world = current().world
        return is_over if world is None else bool(world.communicator.broadcast_object(is_over))

    def end(self, run_context: RunContext) -> None:
        """Save the last step, if it was not."""
        state = run_context.original_args()
        if state.cur_step_num > self._saved_step:
            self._save(state)

    def __exit__(self, *raised: object) -> None:
        """Save what this rank holds if the training ended by an error and this is wanted."""
        if self._config.exception_save and raised[0] is not None and self._context is not None:
            self._save(self._context.original_args(), "_breakpoint")

    def _save(self, state: Any, suffix: str = "") -> None:
        config = self._config
        folder = Path(self._directory(state) if callable(self._directory) else self._directory)
        step = (state.cur_step_num - 1) % state.batch_num + 1
        prefix = self._prefix
        name = prefix(state) if callable(prefix) else f"{prefix}-{state.cur_epoch_num}_{step}"
        path = folder / f"{name}{suffix}.{config.format}"
        if config.append_dict is not None:
            numbers = {"epoch_num": state.cur_epoch_num, "step_num": state.cur_step_num}
            config.append_dict |= {n: v for n, v in numbers.items() if n in config.append_dict}
        save_checkpoint(
            config.saved_network or state.train_network,
            path,
            integrated_save=config.integrated_save and not suffix,
            append_dict=config.append_dict,
            crc_check=config.crc_check and config.format == "ckpt",
            format=config.format,
        )
        self._latest, self._saved_step, self._saved_s = str(path), state.cur_step_num, monotonic()
        self._keep(path)

    def _keep(self, path: Path) -> None:
        """Remove files that are one too many, now that the new one is there."""
        minutes = self._config.keep_checkpoint_per_n_minutes
        files = [f for f in self._files if f != path]
        if minutes:
            if files and self._saved_s - self._kept_s < minutes * 60:
                files.pop().unlink(missing_ok=True)
            else:
                self._kept_s = self._saved_s
        else:
            while len(files) >= self._config.keep_checkpoint_max:
                files.pop(0).unlink(missing_ok=True)
        self._files = [*files, path]


def _unused(folder: Path, prefix: str) -> str:
    """Return the prefix, with a number if the folder has files that begin with it."""
    names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    taken = {n[: n.rindex("-")] for n in names if n.startswith(prefix) and n.endswith(_ENDINGS) and "-" in n}
    numbers = [0] if prefix in taken else []
    numbers += [int(t.removeprefix(prefix + "_")) for t in taken if t.removeprefix(prefix + "_").isdigit()]
    return f"{prefix}_{max(numbers) + 1}" if numbers else prefix
