"""For each line of ``docs/mindspore.md`` that works: a test in which its effect can be seen."""

__all__ = ["SHOWN"]

_EFFECTS = "mindspore/test_effects.py"
_PRIVATE = "mindspore/test_private.py"
_PLACES = "test_communication.py"
_FILES = "checkpoint/test_files.py"
_TRANSFORM = "checkpoint/test_transform.py"
_SLICED = f"{_TRANSFORM}::test_transformed_files_are_those_that_the_other_cut_saves"
_NEWER = f"{_TRANSFORM}::test_newer_names_mean_the_same"
_FORMATS = f"{_TRANSFORM}::test_one_file_of_whole_parameters_and_other_formats"
_MERGED = f"{_TRANSFORM}::test_slices_are_merged_by_a_searched_strategy_or_along_the_first_axis"
_HSDP = f"{_EFFECTS}::test_the_parallel_optimizer_cuts_as_it_is_told"
_GIVEN = f"{_EFFECTS}::test_a_dataset_strategy_says_which_part_of_an_input_is_given"
_SAVED = f"{_EFFECTS}::test_strategies_that_were_saved_are_loaded"
_MESSAGES = "ops/test_messages.py"
_OPERATORS = "compile/test_strategy_files.py::test_the_strategies_of_all_ops_go_by_their_places"
_SAME = f"{_TRANSFORM}::test_ranks_that_hold_the_same_are_written_where_the_environment_says"
_SEARCH = f"{_EFFECTS}::test_the_search_propagates_where_it_is_told_so"
_DEVICES = f"{_EFFECTS}::test_the_devices_and_the_rank_that_are_compiled_for_are_those_of_the_context"
_STAGES = "pipeline/test_plans.py::test_rows_of_their_own_train_as_all_rows_do_on_one_device"
_COLLECTIVES = "ops/test_on_ranks.py::test_collectives_written_by_the_user_move_what_they_say"
_GROUPS = "ops/test_on_ranks.py::test_collectives_stay_within_their_group"
_RANKS = f"{_EFFECTS}::test_ranks_of_one_machine_are_counted_there_and_groups_list_theirs"
_KNOW = f"{_PLACES}::test_groups_know_the_place_of_each_rank"
_AVERAGES = "partition/test_modes.py::test_gradients_are_summed_or_averaged_and_layerwise_parameters_left_alone"
_IN_MINDSPORES_WORDS = "pipeline/test_in_mindspores_words.py"
_CUT = "compile/test_jit.py::test_a_cell_in_graph_mode_is_traced_once_and_says_how_it_is_cut"
_CONTEXT = f"{_EFFECTS}::test_modes_have_names"
_SUM_TYPE = f"{_EFFECTS}::test_the_type_of_sums_is_set_for_the_network_alone"
_WIDE_GRADIENTS = "partition/test_widening.py::test_gradients_are_summed_as_float32_unless_that_is_switched_off"
_WIDE_SUMS = "partition/test_widening.py::test_sums_of_other_values_are_widened_on_demand"

_DISTRIBUTED = "test_distributed.py"
_DISTRIBUTED_GROUPS = f"{_DISTRIBUTED}::test_the_world_and_groups_know_the_place_of_each_rank"
_REPLACED = f"{_DISTRIBUTED}::test_all_reduce_replaces_every_tensor"
_SCATTERED = f"{_DISTRIBUTED}::test_parts_are_reduced_and_scattered"
_GATHERED = f"{_DISTRIBUTED}::test_tensors_are_gathered"
_DEALT = f"{_DISTRIBUTED}::test_one_rank_deals_out_its_tensors"
_EXCHANGED = f"{_DISTRIBUTED}::test_every_rank_sends_parts_to_every_other"
_LETTERS = f"{_DISTRIBUTED}::test_messages_find_their_tensors_in_any_order"
_OBJECTS = f"{_DISTRIBUTED}::test_objects_go_between_ranks"
_RETURNED = f"{_DISTRIBUTED}::test_functions_return_new_tensors_and_gradients_pass_through"
_SHAPED = f"{_DISTRIBUTED}::test_parts_of_any_shape_are_returned"
_ANSWERED = f"{_DISTRIBUTED}::test_messages_are_returned"
_UNLIKE = "ops/test_exchanges.py"
_HOOKS = "nn/test_hooks.py::test_hooks_are_part_of_the_gradient_and_their_removal_is_seen"

SHOWN: dict[str, str] = {
    # options
    "device_num": _DEVICES,
    "global_rank": _DEVICES,
    "gradient_fp32_sync": _WIDE_GRADIENTS,
    "disable_gradient_fp32_sync": _SUM_TYPE,
    "force_fp32_communication": _WIDE_SUMS,
    "enable_fp32_communication": _SUM_TYPE,
    "gradients_mean": "nn/test_parallel.py::test_a_data_parallel_step_equals_one_over_all_batches",
    "parallel_mode": _AVERAGES,
    "search_mode": _SEARCH,
    "auto_parallel_search_mode": _SEARCH,
    "parameter_broadcast": f"{_EFFECTS}::test_parameter_broadcast_gives_every_rank_those_of_rank_0",
    "strategy_ckpt_load_file": "compile/test_strategy_files.py::test_what_was_saved_is_taken",
    "strategy_ckpt_save_file": "compile/test_strategy_files.py::test_what_was_saved_is_taken",
    "strategy_ckpt_config": "compile/test_strategy_files.py::test_the_file_has_what_mindspore_writes",
    "full_batch": f"{_EFFECTS}::test_full_batch_is_the_older_name",
    "dataset_strategy": _GIVEN,
    "enable_parallel_optimizer": _HSDP,
    "parallel_optimizer_config": _HSDP,
    "optimizer_weight_shard_size": _HSDP,
    "all_reduce_fusion_config": "partition/test_fusion.py::"
    "test_all_reduce_fusion_config_starts_a_message_at_each_position",
    "comm_fusion": f"{_EFFECTS}::test_fusion_is_set_for_the_network_alone",
    "pipeline_stages": _STAGES,
    "pipeline_config": "pipeline/test_plans.py::test_1f1b_needs_less_memory_than_gpipe",
    "pipeline_segments": f"{_EFFECTS}::test_a_stage_has_several_parts_if_it_may",
    # training and checkpoints
    "mindspore.train.Model": "train/test_model.py::test_four_ranks_train_as_one",
    "mindspore.recompute": "partition/test_recompute.py::test_less_memory_is_planned",
    "mindspore.train.OnRequestExit": "train/test_checkpoints.py::"
    "test_a_training_that_is_asked_to_end_saves_and_goes_on_from_there",
    "mindspore.parallel.convert_checkpoints": _NEWER,
    "mindspore.parallel.convert_checkpoint_by_rank": _NEWER,
    "mindspore.parallel.rank_list_for_convert": _NEWER,
    "mindspore.DatasetHelper": "train/test_queue.py::test_ranks_take_their_parts_and_train_as_one",
    "mindspore.ops.operations.GetNext": "train/test_queue.py::test_each_run_takes_the_next_row_of_each_queue",
    "mindspore.train.data_sink": "train/test_sink.py::test_each_call_takes_the_next_rows_and_the_dataset_begins_anew",
    "mindspore.train.ModelCheckpoint": "train/test_checkpoints.py::test_every_step_is_saved_and_the_last_five_are_kept",
    "mindspore.train.CheckpointConfig": "train/test_checkpoints.py::"
    "test_steps_numbers_formats_and_the_last_step_are_as_configured",
    "mindspore.save_checkpoint": f"{_FILES}::test_every_element_type_comes_back",
    "mindspore.load_checkpoint": f"{_FILES}::test_every_element_type_comes_back",
    "mindspore.load_param_into_net": f"{_FILES}::test_numbers_and_texts_stand_beside_parameters",
    "mindspore.load_distributed_checkpoint": "checkpoint/test_round_trip.py::"
    "test_any_layout_loads_what_any_other_saved",
    "mindspore.load_segmented_checkpoints": _FORMATS,
    "mindspore.transform_checkpoints": _SLICED,
    "mindspore.transform_checkpoint_by_rank": _SLICED,
    "mindspore.rank_list_for_transform": _SLICED,
    "mindspore.unified_safetensors": _FORMATS,
    "mindspore.merge_sliced_parameter": _MERGED,
    "mindspore.build_searched_strategy": _MERGED,
    "mindspore.merge_pipeline_strategys": f"{_TRANSFORM}::test_strategy_files_of_stages_become_one",
    "mindspore.restore_group_info_list": _SAME,
    "group_ckpt_save_file": _SAME,
    "set_group_ckpt_save_file": _SAME,
    "mindspore.parallel.set_op_strategy_config": "compile/test_strategy_files.py::"
    "test_the_strategies_of_all_ops_are_also_written_for_a_whole_program",
    "mindspore.ckpt_to_safetensors": _FORMATS,
    "mindspore.safetensors_to_ckpt": _FORMATS,
    # mindspore.parallel
    "mindspore.parallel.Layout": "test_parallel.py::test_a_rank_list_reorders_the_ranks",
    "mindspore.parallel.shard": "nn/test_cell.py::test_shard_marks_inputs_and_results_with_their_cut",
    "mindspore.parallel.auto_parallel.AutoParallel": f"{_EFFECTS}::test_hsdp_stores_slices",
    "mindspore.parallel.get_algo_parameters": f"{_EFFECTS}::test_settings_of_the_search_read_back_and_are_reset",
    "mindspore.parallel.reset_algo_parameters": f"{_EFFECTS}::test_settings_of_the_search_read_back_and_are_reset",
    "mindspore.reshard": "ops/test_resharding.py::test_a_value_is_in_the_layout_from_there_on",
    "mindspore.set_auto_parallel_context": _CONTEXT,
    "mindspore.get_auto_parallel_context": _CONTEXT,
    "mindspore.reset_auto_parallel_context": _CONTEXT,
    "mindspore.context.ParallelMode": _CONTEXT,
    "mindspore.Symbol": "partition/test_restrictions.py::test_a_cut_that_divides_the_divisor_of_a_symbol_is_taken",
    "mindspore.nn.Cell.shard": "nn/test_cell.py::test_shard_marks_inputs_and_results_with_their_cut",
    "mindspore.nn.Cell.set_comm_fusion": "nn/test_wrap.py::test_a_data_parallel_step_sums_each_gradient_over_all_ranks",
    "mindspore.nn.Cell.recompute": "partition/test_recompute.py::test_sums_over_ranks_are_repeated_only_if_asked",
    "mindspore.nn.Cell.pipeline_stage": "pipeline/test_plans.py::test_a_stage_without_a_cell_is_refused",
    "mindspore.nn.PipelineCell": _STAGES,
    "mindspore.nn.GradAccumulationCell": "pipeline/test_equal_to_one_device.py::test_gradient_accumulation",
    "mindspore.bfloat16": "parity/test_bfloat16.py::test_an_op_and_its_gradient_are_those_of_torch",
    "mindspore.nn.Cell.construct": "nn/test_bprop.py::test_gradients_go_through_bprop_inside_of_a_network",
    "mindspore.nn.Cell.register_forward_hook": _HOOKS,
    "mindspore.nn.Cell.register_buffer": "nn/test_buffers.py::test_construct_updates_a_buffer_in_both_modes",
    "mindspore.nn.Cell.state_dict": "nn/test_hooks.py::test_a_state_is_loaded_by_paths",
    "mindspore.nn.cosine_decay_lr": "nn/test_rates.py::test_cosine_decay_is_half_a_wave",
    "mindspore.nn.Cell.to_float": "nn/test_hints.py::test_to_float_lets_construct_see_parameters_in_that_type",
    "mindspore.nn.MicroBatchInterleaved": "pipeline/test_equal_to_one_device.py::"
    "test_micro_batches_interleaved_within_micro_batches_of_a_pipeline",
    "mindspore.parallel.nn.PipelineGradReducer": f"{_IN_MINDSPORES_WORDS}::test_gradients_are_scaled_down",
    "mindspore.mint.nn.functional.linear": f"{_EFFECTS}::test_mint_functions_compute",
    "mindspore.ops.Primitive.shard": _CUT,
    "mindspore.ops.Primitive.recompute": "partition/test_recompute.py::"
    "test_an_op_that_is_not_to_be_repeated_in_a_cell_that_is_stays_kept",
    "mindspore.common.api._cell_graph_executor": f"{_PRIVATE}::"
    "test_the_executor_compiles_for_devices_that_do_not_exist",
    "mindspore.parallel._auto_parallel_context.auto_parallel_context": f"{_PRIVATE}::"
    "test_the_parallel_context_as_an_object_reads_and_writes_options",
    # AutoParallel's methods whose names no option has
    "disable_strategy_file_only_for_trainable_params": f"{_EFFECTS}::"
    "test_parameters_that_are_not_trained_are_in_the_file_if_wanted",
    "enable_gradients_mean": f"{_EFFECTS}::test_gradients_mean_is_enabled_for_the_network_alone",
    "get_pipeline_stages": f"{_EFFECTS}::test_stages_read_back",
    "hsdp": f"{_EFFECTS}::test_hsdp_stores_slices",
    "load_operator_strategy_file": _OPERATORS,
    "load_param_strategy_file": _SAVED,
    "pipeline": f"{_IN_MINDSPORES_WORDS}::test_a_pipeline_in_which_every_rank_is_given_the_same_rows",
    "save_operator_strategy_file": _OPERATORS,
    "save_param_strategy_file": _SAVED,
    # attributes of Parameters
    "mindspore.Parameter.layerwise_parallel": _AVERAGES,
    "mindspore.Parameter.parallel_optimizer": f"{_EFFECTS}::test_a_parameter_may_stay_out_of_the_parallel_optimizer",
    "mindspore.Parameter.parallel_optimizer_comm_recompute": f"{_EFFECTS}::"
    "test_a_parameter_may_be_gathered_again_for_the_backward_pass",
    "mindspore.Parameter.comm_fusion": f"{_EFFECTS}::test_a_fusion_number_keeps_gradients_in_messages_of_their_own",
    "mindspore.Parameter.requires_grad": f"{_EFFECTS}::test_a_parameter_that_is_not_trained_has_no_gradient",
    "mindspore.Parameter.sliced": f"{_EFFECTS}::test_a_slice_says_that_it_is_one",
    "mindspore.Parameter.init_data": f"{_EFFECTS}::test_a_slice_says_that_it_is_one",
    # communication
    "mindspore.communication.init": f"{_PLACES}::test_init_without_a_launcher_opens_a_world_of_one",
    "mindspore.communication.release": f"{_PLACES}::test_release_leaves_open_what_init_did_not_open",
    "mindspore.communication.get_rank": _COLLECTIVES,
    "mindspore.communication.get_group_size": _KNOW,
    "mindspore.communication.get_local_rank": _RANKS,
    "mindspore.communication.get_local_rank_size": _RANKS,
    "mindspore.communication.get_process_group_ranks": _RANKS,
    "mindspore.communication.get_world_rank_from_group_rank": _KNOW,
    "mindspore.communication.get_group_rank_from_world_rank": f"{_PLACES}::"
    "test_a_rank_outside_of_a_group_has_no_place_in_it",
    "mindspore.communication.create_group": _GROUPS,
    "mindspore.communication.destroy_group": f"{_PLACES}::test_a_destroyed_group_is_unknown",
    "mindspore.communication.GlobalComm": f"{_PLACES}::test_a_destroyed_group_is_unknown",
    "mindspore.ops.AllReduce": _COLLECTIVES,
    "mindspore.ops.AllGather": _COLLECTIVES,
    "mindspore.ops.ReduceScatter": _COLLECTIVES,
    "mindspore.ops.Broadcast": _GROUPS,
    "mindspore.ops.AlltoAll": _COLLECTIVES,
    "mindspore.ops.TensorDump": "ops/test_dumping.py::test_values_and_gradients_are_saved_at_each_run",
    "mindspore.ops.tensordump": "ops/test_dumping.py::test_a_rank_saves_its_slice_as_the_next_op_takes_it",
    "mindspore.ops.DumpGradient": "ops/test_dumping.py::test_values_and_gradients_are_saved_at_each_run",
    "mindspore.mint.distributed.init_process_group": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.destroy_process_group": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.is_available": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.is_initialized": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.new_group": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.get_rank": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.get_world_size": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.get_process_group_ranks": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.get_global_rank": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.get_group_rank": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.get_backend": _DISTRIBUTED_GROUPS,
    "mindspore.mint.distributed.all_reduce": _REPLACED,
    "mindspore.mint.distributed.reduce": _REPLACED,
    "mindspore.mint.distributed.reduce_scatter_tensor": _SCATTERED,
    "mindspore.mint.distributed.reduce_scatter_tensor_uneven": _SCATTERED,
    "mindspore.mint.distributed.reduce_scatter": _SCATTERED,
    "mindspore.mint.distributed.all_gather_into_tensor": _GATHERED,
    "mindspore.mint.distributed.all_gather_into_tensor_uneven": _GATHERED,
    "mindspore.mint.distributed.all_gather": _GATHERED,
    "mindspore.mint.distributed.gather": _GATHERED,
    "mindspore.mint.distributed.gather_into_tensor": _GATHERED,
    "mindspore.mint.distributed.scatter": _DEALT,
    "mindspore.mint.distributed.scatter_tensor": _DEALT,
    "mindspore.mint.distributed.broadcast": _DEALT,
    "mindspore.mint.distributed.all_to_all": _EXCHANGED,
    "mindspore.mint.distributed.all_to_all_single": _EXCHANGED,
    "mindspore.mint.distributed.all_to_all_v_c": _EXCHANGED,
    "mindspore.mint.distributed.send": _LETTERS,
    "mindspore.mint.distributed.recv": _LETTERS,
    "mindspore.mint.distributed.isend": _LETTERS,
    "mindspore.mint.distributed.irecv": _LETTERS,
    "mindspore.mint.distributed.P2POp": _LETTERS,
    "mindspore.mint.distributed.batch_isend_irecv": _LETTERS,
    "mindspore.mint.distributed.barrier": _LETTERS,
    "mindspore.mint.distributed.all_gather_object": _OBJECTS,
    "mindspore.mint.distributed.gather_object": _OBJECTS,
    "mindspore.mint.distributed.broadcast_object_list": _OBJECTS,
    "mindspore.mint.distributed.scatter_object_list": _OBJECTS,
    "mindspore.mint.distributed.send_object_list": _OBJECTS,
    "mindspore.mint.distributed.recv_object_list": _OBJECTS,
    "mindspore.communication.comm_func.all_reduce": _RETURNED,
    "mindspore.communication.comm_func.all_gather_into_tensor": _RETURNED,
    "mindspore.communication.comm_func.reduce_scatter_tensor": _RETURNED,
    "mindspore.communication.comm_func.broadcast": _RETURNED,
    "mindspore.communication.comm_func.reduce": _RETURNED,
    "mindspore.communication.comm_func.scatter_tensor": _RETURNED,
    "mindspore.communication.comm_func.gather_into_tensor": _RETURNED,
    "mindspore.communication.comm_func.barrier": _RETURNED,
    "mindspore.communication.comm_func.all_to_all_with_output_shape": _SHAPED,
    "mindspore.communication.comm_func.all_to_all_single_with_output_shape": _SHAPED,
    "mindspore.communication.comm_func.all_to_all_v_c": _SHAPED,
    "mindspore.communication.comm_func.send": _ANSWERED,
    "mindspore.communication.comm_func.recv": _ANSWERED,
    "mindspore.communication.comm_func.isend": _ANSWERED,
    "mindspore.communication.comm_func.irecv": _ANSWERED,
    "mindspore.communication.comm_func.P2POp": _ANSWERED,
    "mindspore.communication.comm_func.batch_isend_irecv": _ANSWERED,
    "mindspore.ops.communication.set_comm_ops_inplace": f"{_DISTRIBUTED}::"
    "test_functions_write_or_return_as_they_are_told",
    "mindspore.ops.Reduce": f"{_UNLIKE}::test_reduce_combines_on_one_rank_and_its_slope_goes_to_all",
    "mindspore.ops.CollectiveGather": f"{_UNLIKE}::test_gather_and_scatter_are_each_others_gradient",
    "mindspore.ops.CollectiveScatter": f"{_UNLIKE}::test_gather_and_scatter_are_each_others_gradient",
    "mindspore.ops.AlltoAllV": f"{_UNLIKE}::test_parts_of_any_length_go_to_every_rank",
    "mindspore.ops.AlltoAllVC": f"{_UNLIKE}::test_parts_of_any_length_go_to_every_rank",
    "mindspore.ops.AllGatherV": f"{_UNLIKE}::test_joined_and_shared_out_by_unlike_lengths",
    "mindspore.ops.ReduceScatterV": f"{_UNLIKE}::test_joined_and_shared_out_by_unlike_lengths",
    "mindspore.ops.BatchISendIRecv": f"{_UNLIKE}::test_a_batch_of_messages_keeps_the_place_of_each",
    "mindspore.ops.Barrier": f"{_UNLIKE}::test_a_barrier_waits_for_all_of_its_group",
    "mindspore.ops.NeighborExchange": f"{_MESSAGES}::test_a_ring_of_exchanges_hands_on_values_and_hands_back_gradients",
    "mindspore.ops.NeighborExchangeV2": f"{_MESSAGES}::test_borders_go_to_neighbours_and_their_gradients_come_back",
    "mindspore.ops.Send": f"{_MESSAGES}::test_what_one_rank_sends_another_receives",
    "mindspore.ops.Receive": f"{_MESSAGES}::test_what_one_rank_sends_another_receives",
    # training
    "mindspore.train.FlopsUtilizationCollector": "train/test_flops.py::test_full_operations_are_those_of_all_stages",
    "mindspore.value_and_grad": "compile/test_jit.py::test_value_and_grad_is_the_same_in_both_modes",
    "mindspore.grad": "test_autodiff.py::test_grad_operation_gives_the_first_argument_or_all",
    "mindspore.jvp": "test_autodiff.py::test_jvp_pushes_changes_of_each_input_to_each_result",
    "mindspore.vjp": "test_autodiff.py::test_vjp_takes_cotangents_of_each_result_back_to_each_input",
    "mindspore.ops.GradOperation": "test_autodiff.py::test_grad_operation_by_list_gives_the_weights",
    "mindspore.jit": "compile/test_jit.py::test_new_options_trace_again",
    "mindspore.nn.WithLossCell": _STAGES,
    "mindspore.nn.TrainOneStepCell": "nn/test_wrap.py::test_a_step_records_forward_backward_and_update",
    "mindspore.nn.TrainOneStepWithLossScaleCell": "nn/test_loss_scale.py::"
    "test_a_dynamic_scale_halves_on_overflow_and_doubles_after_its_window",
    "mindspore.nn.DistributedGradReducer": "nn/test_wrap.py::test_the_mean_follows_the_context",
    "mindspore.dataset": "train/test_model.py::test_epochs_of_a_sink_size_go_on_where_the_last_ended",
}
