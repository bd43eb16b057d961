"""Checkpoints: Parameters in files, and back into networks that may be cut in any other way.

A file is safetensors or MindSpore's ``.ckpt``. Either carries a manifest: the box and the Parameter of each tensor.
What is loaded is an initializer that reads: a Parameter asks it for the box that its layout gives to the rank, and
those bytes are read and no others. So a network loads under any layout, before or after it was compiled.

Modules, in reading order: ``pieces`` (boxes in files, read when asked for), ``manifest``, ``safetensors`` and
``protobuf`` (the formats), ``save``, ``strategies`` (what strategy files say of Parameters), ``load``, ``transform``
(from files to files).
"""

from simpar.checkpoint.load import (
    Checkpoint,
    LoadedParameter,
    load_checkpoint,
    load_distributed_checkpoint,
    load_param_into_net,
    open_checkpoint,
)
from simpar.checkpoint.save import save_checkpoint
from simpar.checkpoint.strategies import (
    build_searched_strategy,
    group_bytes,
    merge_pipeline_strategys,
    restore_group_info_list,
)
from simpar.checkpoint.transform import (
    ckpt_to_safetensors,
    convert_checkpoint,
    convert_checkpoint_by_rank,
    convert_checkpoints,
    load_segmented_checkpoints,
    merge_sliced_parameter,
    rank_list_for_convert,
    rank_list_for_transform,
    safetensors_to_ckpt,
    transform_checkpoint_by_rank,
    transform_checkpoints,
    unified_safetensors,
)

__all__ = [
    "Checkpoint",
    "LoadedParameter",
    "build_searched_strategy",
    "ckpt_to_safetensors",
    "convert_checkpoint",
    "convert_checkpoint_by_rank",
    "convert_checkpoints",
    "group_bytes",
    "load_checkpoint",
    "load_distributed_checkpoint",
    "load_param_into_net",
    "load_segmented_checkpoints",
    "merge_pipeline_strategys",
    "merge_sliced_parameter",
    "open_checkpoint",
    "rank_list_for_convert",
    "rank_list_for_transform",
    "restore_group_info_list",
    "safetensors_to_ckpt",
    "save_checkpoint",
    "transform_checkpoint_by_rank",
    "transform_checkpoints",
    "unified_safetensors",
]
