"""Records of what moves a value from one stage of a pipeline to another; the pipeline's passes write them.

They leave the value as it is. ``send`` stands on the stage that has it, ``receive`` on the one that needs it, rank by
rank; ``share`` gives it to every stage.
"""

from simpar.graph import Example, op

__all__: list[str] = []

_EXAMPLES = (Example(((4, 3),)), Example(((2, 4),)))

op("send", rule="... -> ...", linear="each", examples=_EXAMPLES)
op("receive", rule="... -> ...", linear="each", examples=_EXAMPLES)
op("share", rule="... -> ...", examples=_EXAMPLES)
