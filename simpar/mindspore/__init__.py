"""The import alias: ``import mindspore`` and every ``from mindspore.x import y`` resolve to simpar.

Nothing happens by itself: ``install()`` puts a finder in front of Python's own, ``simpar run SCRIPT --mindspore`` and
``python -m simpar.mindspore SCRIPT`` do so before they run a script. From then on MindSpore's module paths are empty
shells; a name is looked up in the doors of simpar that ``names.DOORS`` lists for its path, and one that simpar does not
have is refused with the nearest names that it has. MindSpore's restrictions on devices hold from then on, too.

MindSpore's private names, which parallel scripts and its own tests use, live here and nowhere else.

Read in this order: ``names`` (the table), ``finder`` (shells and lookup), then the private parts: ``executor``
(compile for imagined devices), ``options`` (the parallel context as an object), ``wrappers`` and ``utils``.
"""

from simpar.mindspore.finder import install, installed, is_installed, uninstall

__all__ = ["install", "installed", "is_installed", "uninstall"]
