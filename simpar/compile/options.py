"""What the passes need of the context, as values."""

from simpar.context import AUTO_PARALLEL, STAND_ALONE, Context
from simpar.errors import ContextError, ModeError, WorldError
from simpar.partition import BucketOptions, OptimizerSharding, PartitionOptions

__all__ = ["check_batch", "check_world", "partition_options"]

_KINDS = {"allreduce": "all_reduce", "allgather": "all_gather", "reducescatter": "reduce_scatter"}
_MB = 1 << 20


def partition_options(context: Context) -> PartitionOptions:
    """Return the options of the passes.

    Raises:
        WorldError: options do not fit the number of devices.
    """
    parallel = context.parallel
    is_searched = parallel.parallel_mode == AUTO_PARALLEL
    if context.mindspore and context.is_partitioned:
        _check_ascend(context)
    n, stages = context.device_num, _stages(context)
    size = parallel.optimizer_weight_shard_size
    if size > n:
        raise WorldError(
            f"optimizer_weight_shard_size is {size}, but there are {n} devices. Use at most {n}, or -1 for all."
        )
    level = parallel.optimizer_level
    totals = parallel.gradient_accumulation_shard or level != "level1"
    sharding = OptimizerSharding(parallel.parallel_optimizer_threshold << 10, size, level == "level3", totals)
    return PartitionOptions(
        device_num=n // stages,
        is_partitioned=context.is_partitioned,
        dataset_strategy="full_batch"
        if not context.is_partitioned or (parallel.full_batch and isinstance(parallel.dataset_strategy, str))
        else parallel.dataset_strategy,
        sharding=sharding if parallel.enable_parallel_optimizer and context.is_partitioned else None,
        buckets=_buckets(context),
        mindspore=context.mindspore,
        stages=stages,
        scheduler=parallel.pipeline_scheduler,
        interleave=parallel.pipeline_interleave or parallel.pipeline_segments > 1,
        search=parallel.search_mode if is_searched else "",
        uses_all=is_searched and context.others.get("algo_parameters", {}).get("fully_use_devices", False),
        wide_gradients=parallel.gradient_fp32_sync and context.is_partitioned,
        wide_sums=parallel.force_fp32_communication,
    )


def check_batch(context: Context) -> None:
    """Check that the options of the batch fit the mode; after the trace, as a part may have options of its own.

    Raises:
        ModeError: under MindSpore's names, ``full_batch`` in a mode in which each rank has its own.
    """
    parallel = context.parallel
    if context.mindspore and parallel.full_batch and not context.is_partitioned:
        raise ModeError(
            f"full_batch is set, but in {parallel.parallel_mode} mode each rank has a batch of its own. Set "
            "semi_auto_parallel or auto_parallel mode, or dataset_strategy='data_parallel'."
        )


def _check_ascend(context: Context) -> None:
    """Check what MindSpore's compiler wants of the devices because its clusters are built so.

    Raises:
        WorldError: it would refuse these.
    """
    n, rank = context.device_num, context.rank
    own = "simpar itself takes any number: run the script without the alias of MindSpore's names."
    if n not in (1, 2, 4) and n % 8:
        raise WorldError(f"device_num is {n}; MindSpore takes 1, 2, 4 or a multiple of 8. {own}")
    world = context.world
    if world is not None and world.size > n:
        raise WorldError(
            f"device_num is {n}, but {world.size} ranks run. Leave it out of set_auto_parallel_context, or start with "
            f"`simpar run SCRIPT -n {n} --mindspore`."
        )
    if rank >= n:
        raise WorldError(f"global_rank is {rank}, but there are {n} devices. Give a rank below {n}.")


def _stages(context: Context) -> int:
    """Return how many stages the pipeline has; stand alone, a program has one."""
    parallel, n = context.parallel, context.device_num
    stages = parallel.pipeline_stages
    if stages == 1 or parallel.parallel_mode == STAND_ALONE:
        return 1
    if not context.is_partitioned:
        raise ContextError(
            f"pipeline_stages is {stages}, but {parallel.parallel_mode} mode has no pipelines. Use semi_auto_parallel."
        )
    if n % stages:
        raise WorldError(
            f"{n} devices do not divide into {stages} stages. Use {n // stages * stages or stages} devices, or another "
            "number of stages."
        )
    return stages


def _buckets(context: Context) -> tuple[tuple[str, BucketOptions], ...]:
    given = context.parallel.comm_fusion
    is_open = bool(given.get("openstate", True))
    found: list[tuple[str, BucketOptions]] = []
    for name, kind in _KINDS.items():
        settings = given.get(name, {"mode": "auto", "config": None})
        limit, starts = 64 * _MB, ()
        if settings["mode"] == "size":
            limit = settings["config"] * _MB
        elif settings["mode"] == "index":
            limit, starts = None, tuple(settings["config"])
        if kind == "all_reduce" and context.parallel.all_reduce_fusion_config:
            limit, starts = None, tuple(context.parallel.all_reduce_fusion_config)
        found.append((kind, BucketOptions(limit, starts, is_open)))
    return tuple(found)


def check_world(context: Context) -> None:
    """Check that as many ranks run as the program is compiled for.

    Raises:
        WorldError: they do not, or no world was opened.
    """
    n, world = context.device_num, context.world
    if world is None and n > 1:
        raise WorldError(
            f"the program is compiled for {n} devices, but no ranks are connected. Call simpar.communication.init() in "
            f"the script and start it with `simpar run SCRIPT -n {n}`, or look at its plan with `simpar plan SCRIPT "
            f"-n {n}`."
        )
    if world is not None and world.size != n and context.parallel.parallel_mode != "stand_alone":
        raise WorldError(
            f"device_num is {n}, but {world.size} ranks run. Start as many ranks as devices (`simpar run SCRIPT -n "
            f"{n}`), "
            f"or leave device_num out of set_auto_parallel_context."
        )
