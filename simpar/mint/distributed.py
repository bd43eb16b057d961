"""MindSpore's ``mindspore.mint.distributed``: see ``simpar.communication.in_place``."""

from simpar.communication import in_place, letters, objects, process_groups
from simpar.communication.in_place import *  # noqa: F403
from simpar.communication.letters import *  # noqa: F403
from simpar.communication.objects import *  # noqa: F403
from simpar.communication.process_groups import *  # noqa: F403

__all__: list[str] = []
__all__ += in_place.__all__
__all__ += process_groups.__all__
__all__ += letters.__all__
__all__ += objects.__all__
