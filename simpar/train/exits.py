"""A training that ends early, and saves where it was, when it is asked to from outside."""

import json
import signal
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any, cast

from simpar.checkpoint import load_checkpoint, load_param_into_net, save_checkpoint
from simpar.context import current
from simpar.errors import ContextError, DTypeError
from simpar.train.callbacks import Callback, RunContext

__all__ = ["OnRequestExit"]


class OnRequestExit(Callback):
    """Ends a training after the present step when a signal or a file asks for it, and goes on from there later.

    One rank that is asked is enough: all end after the same step. The file is ``rank_<r>/<file_name>_train.ckpt``.

    Args:
        save_ckpt: whether the network and its optimizer are saved.
        save_mindir: taken for MindSpore's sake; simpar writes no MINDIR.
        file_name: what the files' names begin with.
        directory: where the folders of ranks are.
        config_file: a JSON file; ``{"GracefulExit": 1}`` in it asks for the end.
        sig: the signal that asks for it.

    Raises:
        ContextError: ``sig`` is SIGKILL, which no process can catch.
    """

    def __init__(
        self,
        save_ckpt: bool = True,
        save_mindir: bool = True,
        file_name: str = "Net",
        directory: str = "./",
        config_file: str | None = None,
        sig: int = signal.SIGTERM,
    ) -> None:
        if not isinstance(file_name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DTypeError(f"OnRequestExit: file_name is {file_name!r}; give text.")
        if sig == signal.SIGKILL:
            raise ContextError("OnRequestExit: no process can catch SIGKILL; choose SIGTERM or SIGINT.")
        self.save_ckpt, self.sig, self.config_file = save_ckpt, sig, config_file
        self.exit = False
        """Whether this rank was asked."""
        folder = Path(directory) / f"rank_{current().rank}"
        self._files = {kind: folder / f"{file_name}_{kind}.ckpt" for kind in ("train", "eval")}

    def on_train_begin(self, run_context: RunContext) -> None:
        """Wait for the signal, and load what an earlier training saved."""
        self._listen()
        self._load(run_context.original_args().train_network, "train")

    def on_eval_begin(self, run_context: RunContext) -> None:
        """Wait for the signal, and load what an earlier evaluation or training saved."""
        self._listen()
        kind = "eval" if self._files["eval"].exists() else "train"
        self._load(run_context.original_args().eval_network, kind)

    def on_train_step_end(self, run_context: RunContext) -> None:
        """Ask for the end, if this rank was asked."""
        self._pass_on(run_context)

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        """Ask for the end, if this rank was asked."""
        self._pass_on(run_context)

    def on_eval_step_end(self, run_context: RunContext) -> None:
        """Ask for the end, if this rank was asked."""
        self._pass_on(run_context)

    def on_train_end(self, run_context: RunContext) -> None:
        """Save, if any rank was asked."""
        state = run_context.original_args()
        numbers = {"epoch_num": state.cur_epoch_num, "step_num": state.cur_step_num, "batch_num": state.batch_num}
        self._save(state.train_network, "train", numbers)

    def on_eval_end(self, run_context: RunContext) -> None:
        """Save, if any rank was asked."""
        self._save(run_context.original_args().eval_network, "eval", None)

    def _listen(self) -> None:
        if current_thread() is main_thread():  # no other may say how signals are answered
            signal.signal(self.sig, self._asked)

    def _asked(self, *_: object) -> None:
        self.exit = True

    def _pass_on(self, run_context: RunContext) -> None:
        self.exit = self.exit or self._file_asks()
        if self.exit:
            run_context.request_stop()

    def _file_asks(self) -> bool:
        try:
            told: object = json.loads(Path(self.config_file).read_text("utf-8")) if self.config_file else None
        except (OSError, ValueError):  # not there, or being written
            return False
        return isinstance(told, dict) and cast("dict[str, object]", told).get("GracefulExit") == 1

    def _load(self, network: Any, kind: str) -> None:
        if self.save_ckpt and self._files[kind].exists():
            load_param_into_net(network, load_checkpoint(str(self._files[kind])))

    def _save(self, network: Any, kind: str, numbers: dict[str, Any] | None) -> None:
        world = current().world
        was_asked = any(world.communicator.gather_objects(self.exit)) if world is not None else self.exit
        if was_asked and self.save_ckpt:
            self._files[kind].parent.mkdir(parents=True, exist_ok=True)
            save_checkpoint(network, str(self._files[kind]), append_dict=numbers)
