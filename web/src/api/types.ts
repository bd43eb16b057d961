// Written by scripts/types.mjs from openapi.json. Do not edit.

/** Is collectives that became one message. */
export interface Bucket {
  /** The index of the collective. */
  collective: number;
  /** The fusion index of its parameters. */
  fusion: number;
  /** Of rank 0. */
  group: number[];
  kind: string;
  /** The place in the program at which it is launched. */
  launched: number | null;
  /** Seconds after the start of the step at which it is launched, on average on rank 0. */
  mean_offset_s: number | null;
  /** Seconds it takes, on average on rank 0. */
  mean_s: number | null;
  /** In the order in which they fill it. */
  members: BucketMember[];
  message_bytes: number;
  phase: string;
}

/** Is every bucket of a program, and each collective of a gradient that was not fused, in order. */
export interface BucketList {
  buckets: Bucket[];
  program: string;
  /** The version of this schema. */
  schema: number;
}

/** Is one parameter's part of a bucket. */
export interface BucketMember {
  /** What a rank hands over for it; 0 if it is not known. */
  bytes: number;
  parameter: string;
  /** The place in the program, by instruction, at which it is ready. */
  ready: number | null;
}

/** Is how one value gets from one layout to another: one redistribution. */
export interface Chain {
  cause: "written" | "mismatch" | "partial" | "gradient" | "optimizer" | "other";
  /** Ids of the nodes that read the result. */
  consumers: string[];
  dtype: string;
  id: number;
  parameters: string[];
  phase: string;
  /** The id of the node that makes the value; null for an argument, a parameter or a constant. */
  producer: string | null;
  scope: string;
  /** What a rank sends in all steps. */
  sent_bytes: number;
  shape: number[];
  source: LayoutItem;
  /** The user's line. */
  source_line: string;
  steps: ChainStep[];
  target: LayoutItem;
  /** The value that is redistributed. */
  value: string;
  /** The cause in words. */
  why: string;
}

/** Is one step of a redistribution: a collective, or a slice, which moves nothing. */
export interface ChainStep {
  after: LayoutItem;
  before: LayoutItem;
  /** The index of the collective that carries it, perhaps with others of its bucket. */
  collective: number | null;
  /** Device axes of ``before`` along which it works; none if they are not known. */
  device_axes: number[];
  /** 1 for a slice. */
  group_size: number;
  /** E.g. ``all_gather``; ``slice`` for a local cut. */
  kind: string;
  /** Seconds that this collective took on rank 0, on average, with all that it carries. */
  mean_s: number | null;
  /** The id of its node in the graph. */
  node: string;
  /** What a rank sends for this value, foreseen by the count of ring and pairwise algorithms. */
  sent_bytes: number;
  slice_shape_after: number[];
  slice_shape_before: number[];
  /** The step in words. */
  words: string;
}

/** Is whether copies that should be equal are, by their recorded checksums. */
export interface Checks {
  disagreements: DisagreementItem[];
  /** The version of this schema. */
  schema: number;
}

/** Is one collective of a program as one rank runs it in each step. */
export interface CollectiveItem {
  cause: "written" | "mismatch" | "partial" | "gradient" | "optimizer" | "other";
  /** How often this rank ran it. */
  count: number;
  /** Device axes of the run's device matrix along which the group stands; null if it does not stand along any. */
  device_axes: number[] | null;
  /** The fusion index of its bucket; 0 if it was not fused. */
  fusion: number;
  /** The ranks that take part with this one, in order. */
  group: number[];
  /** How many groups do it at the same time. */
  groups: number;
  /** Its place in the program. */
  index: number;
  /** E.g. ``all_reduce``. */
  kind: string;
  least_s: number | null;
  /** Seconds after the start of the step at which it starts, on average. */
  mean_offset_s: number | null;
  /** Seconds, start to end, on this rank. */
  mean_s: number | null;
  /** What this rank hands to it. */
  message_bytes: number;
  most_s: number | null;
  /** The id of its node in the graph. */
  node: string | null;
  parameters: string[];
  phase: string;
  /** What this rank sends, by the count of ring and pairwise algorithms. */
  sent_bytes: number;
  /** Seconds that this rank waits for the last of its group to arrive, on average over the latest steps. */
  wait_s: number | null;
  /** The cause in words. */
  why: string;
}

/** Is what one rank moves in a step of a program, in order. */
export interface CollectiveList {
  collectives: CollectiveItem[];
  /** What this rank hands over in a step. */
  message_bytes: number;
  program: string;
  rank: number;
  /** The version of this schema. */
  schema: number;
  /** What this rank sends in a step. */
  sent_bytes: number;
  /** How many steps of this rank the times were taken over. */
  steps: number;
}

/** Is what one event of the stream carries: what arrived since the last. */
export interface Delta {
  columns: StepColumns;
  /** The id of the event: a reader that reconnects sends it as ``Last-Event-ID`` and loses nothing. */
  cursor: string;
  /** Of rank 0. */
  last_step: number;
  /** A mark that changes when memory, digests or values arrive, which while a run trains is about once a second. */
  measured: string;
  /** A mark that changes when a rank, a parameter, a program or a failure arrives, which is seldom. */
  news: string;
  programs: string[];
  /** The version of this schema. */
  schema: number;
  series: ScalarSeries[];
  /** Of the run. */
  state: string;
}

/** Is the first step at which copies of one slice differ. */
export interface DisagreementItem {
  parameter: string;
  /** Ranks that hold the slice, grouped by what they hold, the largest group first. */
  ranks: number[][];
  step: number;
  text: string;
}

/** Is a rank's error. */
export interface Failure {
  /** The error's class. */
  error: string;
  message: string;
  rank: number;
  traceback: string;
}

/** Is one of the four figures of the overview: what was foreseen and what was measured. */
export interface Figure {
  /** How both were found, in sentences. */
  assumptions: string[];
  /** From what was recorded; null if it was not. */
  measured: number | null;
  name: "bytes_per_step" | "peak_memory" | "collectives_per_step" | "communication_share";
  /** From the plan; null if the plan does not say. */
  predicted: number | null;
  /** The rank it belongs to, that with the largest figure; null if it belongs to all. */
  rank: number | null;
  title: string;
  /** A share lies between 0 and 1. */
  unit: "bytes" | "count" | "share";
}

/** Is one sentence on the health of the run or on its layout. */
export interface Finding {
  level: "error" | "warning" | "note";
  link: Link;
  text: string;
}

/** Is the graph of a program, the same on all ranks. */
export interface Graph {
  edges: GraphEdge[];
  nodes: GraphNodeItem[];
  program: string;
  /** The version of this schema. */
  schema: number;
  values: GraphValueItem[];
}

/** Is a value on its way from the node that makes it to one that reads it. */
export interface GraphEdge {
  /** The place of the maker in ``nodes``; null for an argument, a parameter or a constant. */
  source: number | null;
  /** The place of the reader in ``nodes``. */
  target: number;
  /** Its place in ``values``. */
  value: number;
}

/** Is one op of a graph, in the order in which they run. */
export interface GraphNodeItem {
  /** The redistribution it is a step of. */
  chain: number | null;
  /** The index of its collective in the list of collectives. */
  collective: number | null;
  id: string;
  /** Names of values. */
  inputs: string[];
  op: string;
  outputs: string[];
  /** ``forward``, ``backward`` or ``update``. */
  phase: string;
  role: "op" | "redistribution" | "gradient" | "collective";
  /** The cell, e.g. ``blocks.0.attention``. */
  scope: string;
  /** The user's line, e.g. ``gpt.py:71``. */
  source: string;
  /** What the user gave, in words; empty for none. */
  strategy: string;
}

/** Is one value of a graph. */
export interface GraphValueItem {
  dtype: string;
  layout: LayoutItem | null;
  /** Its number, and the name of the parameter that it is, e.g. ``%3 mlp.w1``. */
  name: string;
  /** The name of the parameter that it is. */
  parameter: string | null;
  /** Of the whole tensor. */
  shape: number[];
  /** What each rank holds of it. */
  slice_bytes: number | null;
}

/** Is ranks that take part in collectives together. */
export interface GroupItem {
  /** Device axes of the run's device matrix along which it stands; null if it does not stand along any. */
  device_axes: number[] | null;
  /** How many collectives of each kind it does in a step. */
  kinds: Record<string, number>;
  /** What one of its ranks hands over in a step. */
  message_bytes: number;
  ranks: number[];
  /** What one of its ranks sends in a step. */
  sent_bytes: number;
}

/** Is every group of a program; of groups that do the same, at most 64 are listed. */
export interface GroupList {
  groups: GroupItem[];
  program: string;
  /** The version of this schema. */
  schema: number;
  /** How many there are. */
  total: number;
}

/** Is what a strategy file says about a program. */
export interface ImportAnswer {
  dev_mat: number[];
  /** Tensor maps over the device matrix, of parameters that are in both. */
  maps: Record<string, (number | number[])[]>;
  /** Parameters of the program that the file does not name. */
  missing: string[];
  problems: ProblemItem[];
  /** The version of this schema. */
  schema: number;
  /** Tensor maps of operators' operands, by the operators' ids. */
  strategies: Record<string, ((number | number[])[])[] | null>;
  /** Names in the file that the program does not have. */
  unknown: string[];
}

/** Is the rank that a collective's group waited for. */
export interface LateRank {
  collective: number;
  /** Seconds that the others waited, together. */
  cost_s: number;
  group: number[];
  /** Seconds between the first to arrive and the last. */
  late_s: number;
  program: number;
  /** The last to arrive. */
  rank: number;
  step: number;
}

/** Is a layout to reckon with. */
export interface LayoutAsked {
  combine?: "sum" | "max" | "min";
  /** Ranks along each device axis, major first; at most 2**20 in all. */
  dev_mat: number[];
  /** Device axes along which each rank holds only a term. */
  partial?: number[];
  /** For each tensor axis the device axis that cuts it, counted from the right; -1 for none; several, major first. */
  tensor_map: (number | number[])[];
}

/** Is how a tensor is cut over the device matrix: never slices, which follow from it by arithmetic. */
export interface LayoutItem {
  /** What joins the terms: sum, max or min. */
  combine: string;
  /** Ranks along each device axis, major first. */
  dev_mat: number[];
  /** Of each tensor axis how long its slices are, where they are not equal; empty if they are on every axis. */
  lengths: number[][];
  /** Device axes along which each rank holds only a term of the value. */
  partial: number[];
  /** The rank at each place of the device matrix, row by row; in order if null. */
  rank_list: number[] | null;
  /** For each tensor axis the device axis that cuts it, counted from the right; -1 for none; several, major first. */
  tensor_map: (number | number[])[];
}

/** Says where in the inspector the evidence is. */
export interface Link {
  page: "overview" | "devices" | "tensors" | "graph" | "communication" | "redistribution" | "timeline" | "memory" | "plan";
  /** What to select there, e.g. ``{"parameter": "w1"}``, ``{"program": …, "chain": "3"}``, ``{"rank": "2"}``. */
  select: Record<string, string>;
}

/** Is who sends how much to whom in a step: rings for reductions and gathers, pairs for the rest.  The entries are sparse. ``GET …/matrix?form=float32`` gives the whole matrix instead: size × size little-endian float32, row by row, a row for each sender. */
export interface Matrix {
  assumptions: string[];
  metric: "bytes" | "messages" | "seconds";
  program: string;
  /** What each rank receives: the sums of the columns. */
  received: number[];
  receivers: number[];
  /** The version of this schema. */
  schema: number;
  senders: number[];
  /** What each rank sends: the sums of the rows. */
  sent: number[];
  /** How many ranks. */
  size: number;
  /** What each sender sends to each receiver in a step. */
  values: number[];
}

/** Is the memory of all ranks, foreseen and measured. */
export interface Memory {
  assumptions: string[];
  ranks: RankMemory[];
  /** The version of this schema. */
  schema: number;
}

/** Is the bytes of one class on a rank, as the plan has them. */
export interface MemoryClass {
  bytes: number;
  /** ``parameter``, ``optimizer state`` or ``arena``: what a step makes, activations, gradients and buffers. */
  name: string;
}

/** Is what was measured of one rank at one step. */
export interface MemoryMeasurement {
  /** The rank's share; null where the system does not tell. */
  pss_bytes: number | null;
  /** Resident, pages shared with others counted fully. */
  rss_bytes: number;
  step: number;
}

/** Is a movement, or all that are alike in layers that repeat. */
export interface MovementItem {
  after: LayoutItem;
  before: LayoutItem;
  change: "new" | "gone" | "changed" | "same";
  count: number;
  group_size_a: number | null;
  group_size_b: number | null;
  kind: string;
  line: string;
  /** The operator that makes the value; empty for an input. */
  maker: string;
  parameter: string;
  phase: string;
  /** The operator that needs it in another layout. */
  reader: string;
  scope: string;
  /** What a rank sends for all of them under A. */
  sent_a: number;
  sent_b: number;
  shape: number[];
  why: string;
}

/** Is one operator of the forward phase and how it is cut. */
export interface OperatorItem {
  /** The number of its first result; by it a question names the operator. */
  id: number;
  /** Whether a strategy was given; by default it follows MindSpore's rules. */
  is_chosen: boolean;
  /** The user's line. */
  line: string;
  op: string;
  operands: LayoutItem[];
  parameters: string[];
  /** The name of its class, e.g. MatMul; empty if it has none. */
  primitive: string;
  scope: string;
  /** The cut of each operand in numbers; null where numbers do not say it, or none was given. */
  strategy: number[][] | null;
}

/** Is one parameter and how strategies A and B cut it. */
export interface ParameterAsked {
  /** The tensor map under A. */
  a: (number | number[])[];
  /** The tensor map under B; null if B cuts it as A does. */
  b?: (number | number[])[] | null;
  dtype?: string;
  name: string;
  shape: number[];
}

/** Is one parameter with all that is known of it. */
export interface ParameterDetail {
  /** How many checksums were recorded. */
  checksums: number;
  /** Copies that should be equal and are not. */
  disagreements: DisagreementItem[];
  row: ParameterRow;
  /** The version of this schema. */
  schema: number;
  /** The layout in words. */
  sentence: string;
  /** For each rank, up to 64 ranks; above that they follow from the layout. */
  slices: SliceHeld[];
  /** Names of the optimizer states that belong to it. */
  states: string[];
}

/** Is how the slices of a parameter changed over the recorded steps. */
export interface ParameterHistory {
  /** Copies that should be equal and are not, from which step on. */
  disagreements: DisagreementItem[];
  name: string;
  program: string | null;
  /** The version of this schema. */
  schema: number;
  /** As many of them as were asked for. */
  slices: SliceHistory[];
  /** How many different slices there are. */
  total: number;
}

/** Is parameters in the order in which they were placed, all or a page of them. */
export interface ParameterList {
  offset: number;
  rows: ParameterRow[];
  /** The version of this schema. */
  schema: number;
  /** How many fit the question. */
  total: number;
}

/** Is one parameter, or one state of an optimizer, and its layouts. */
export interface ParameterRow {
  /** The fusion index of its gradient's collective; 0 for none. */
  comm_fusion: number;
  /** The layout in which ops use it; null if it is the storage layout. */
  compute: LayoutItem | null;
  /** How many ranks keep the same slice. */
  copies: number;
  dtype: string;
  /** E.g. ``requires_grad``, ``layerwise_parallel``, ``parallel_optimizer``. */
  flags: string[];
  /** ``parameter`` or ``optimizer state``. */
  kind: string;
  name: string;
  /** Of the whole tensor. */
  shape: number[];
  /** What each rank keeps. */
  slice_bytes: number;
  /** Of what each rank keeps. */
  slice_shape: number[];
  /** The layout in which ranks keep it between steps. */
  storage: LayoutItem;
  /** Of the whole tensor. */
  whole_bytes: number;
}

/** Is what was measured of a parameter's slices at one step; without rows if nothing was recorded. */
export interface ParameterStatistics {
  name: string;
  /** Numbers of slices whose copies were measured to differ at this step, though they should be equal. */
  parted: number[];
  /** That wrote the values. */
  program: string | null;
  /** Those with values of this parameter, the one with most steps first. */
  programs: string[];
  /** By rank. */
  rows: SliceMeasured[];
  /** The version of this schema. */
  schema: number;
  /** How many elements a slice has. */
  slice_elements: number;
  /** The step that is told; the newest complete one unless asked otherwise. */
  step: number | null;
  /** All that are kept, oldest first. */
  steps: RecordedStep[];
  /** How many ranks told at this step. */
  total: number;
}

/** Is a tensor, or one rank's slice of it, as means of cells that never cross the border of a slice. */
export interface ParameterValues {
  /** How many cells stand along each axis. */
  cells: number[];
  /** Into how many slices each axis is cut. */
  cuts: number[];
  /** Where the cells of a slice begin along each axis, counted within the slice, and the slice's end. */
  edges: number[][];
  maximum: number | "nan" | "inf" | "-inf" | null;
  /** Of the finite cells; null if there are none. */
  minimum: number | "nan" | "inf" | "-inf" | null;
  /** Numbers of slices that no rank told at this step. */
  missing: number[];
  name: string;
  program: string;
  /** Whose slice it is; null for the whole tensor. */
  rank: number | null;
  /** The version of this schema. */
  schema: number;
  /** Of the tensor, or of the slice. */
  shape: number[];
  step: number;
  /** How many cells hold a NaN or an infinity. */
  unfinite: number;
  /** The cells, row by row, float32, little-endian, in base64; NaN where a slice is missing. */
  values: string;
}

/** Is what the strategies cost. */
export interface PlanAnswer {
  a: SideTotals;
  assumptions: string[];
  b: SideTotals | null;
  /** Parameters of which a rank holds another slice under B. */
  changed: number;
  /** What a rank sends to take all of them from A to B. */
  move_bytes: number;
  rows: PlannedRow[];
  /** The version of this schema. */
  schema: number;
  /** Parameters whose way from A to B was not planned, because that would have taken too long. */
  unplanned: number;
}

/** Asks what strategies cost: one, or two to compare. */
export interface PlanQuestion {
  /** The device matrix of A; at most 2**20 ranks. */
  dev_mat: number[];
  /** The device matrix of B; null if it is that of A. */
  dev_mat_b?: number[] | null;
  parameters: ParameterAsked[];
  /** States that the optimizer keeps for each parameter: 1 for momentum, 2 for Adam. */
  states?: number;
}

/** Is the plan of a program as text. */
export interface PlanText {
  digest: string;
  program: string;
  /** The version of this schema. */
  schema: number;
  text: string;
}

/** Is one parameter under both strategies. */
export interface PlannedRow {
  a: PlannedSide;
  /** Null if there is no B. */
  b: PlannedSide | null;
  /** Whether a rank holds another slice under B. */
  changed: boolean;
  /** What a rank sends for that. */
  move_bytes: number | null;
  name: string;
  /** What takes it from A to B, step by step; null if it was not planned. */
  steps: string[] | null;
}

/** Is one parameter under one strategy. */
export interface PlannedSide {
  /** How many ranks keep the same slice. */
  copies: number | null;
  /** Why it cannot be cut so, and what to do; the other fields are null then. */
  error: string | null;
  /** What a rank sends to sum its gradient over all copies, if each of them sees another part of the batch. */
  gradient_bytes: number | null;
  /** What a rank keeps. */
  slice_bytes: number | null;
  slice_shape: number[] | null;
}

/** Says what was wrong with a request, or with the run that it asks for, and what to do. */
export interface Problem {
  /** A short name that does not change: bad_request, no_run, unreadable_run, locked_run, layout, too_large, … */
  error: string;
  /** What was wrong, what was expected, how to fix it. */
  message: string;
  /** The version of this schema. */
  schema: number;
  /** The parts of the request that were wrong, e.g. ``query.limit``. */
  where: string[];
}

/** Is a change that cannot be; it was left out. */
export interface ProblemItem {
  message: string;
  /** The parameter, or the operator. */
  where: string;
}

/** Is every compiled program, in order. */
export interface ProgramList {
  programs: ProgramSummary[];
  /** The version of this schema. */
  schema: number;
}

/** Is one compiled program. */
export interface ProgramSummary {
  /** Collectives that rank 0 runs in a step. */
  collectives: number;
  /** Of its plan, equal on all ranks. */
  digest: string;
  /** Nodes that synchronise gradients. */
  gradients: number;
  /** Seconds of a step on rank 0, on average. */
  mean_step_s: number | null;
  nodes: number;
  /** The most memory that the plan needs on a rank at once. */
  peak_bytes: number;
  /** Its name, unique within the run. */
  program: string;
  /** Nodes inserted because layouts disagree or a result is partial. */
  redistributions: number;
  /** How often rank 0 ran it. */
  steps: number;
  values: number;
  /** Ops that the user gave a strategy. */
  with_strategy: number;
}

/** Is what one rank holds. */
export interface RankBox {
  /** Start and stop along each tensor axis. */
  box: [number, number][];
  rank: number;
}

/** Is one rank that has spoken. */
export interface RankInfo {
  host: string;
  /** How many steps it has finished. */
  last_step: number;
  pid: number;
  rank: number;
  /** ``silent`` is a rank of the world that has told nothing yet. */
  state: "running" | "finished" | "failed" | "killed" | "silent";
}

/** Is one row: the share of each bin that its ranks computed, moved data and waited; the rest they were idle. */
export interface RankLanes {
  /** Share of each bin in a collective whose group has arrived. */
  communication: number[];
  /** Share of each bin, 0 to 1, in a step and in no collective. */
  compute: number[];
  /** The first of the row's ranks. */
  rank: number;
  /** Share of each bin in a collective, for ranks that have not arrived. */
  wait: number[];
}

/** Is the memory of one rank. */
export interface RankMemory {
  classes: MemoryClass[];
  /** Oldest first, at most 500. */
  measured: MemoryMeasurement[];
  /** Of the plan that needs most; null if no plan was recorded for the rank. */
  planned_bytes: number | null;
  rank: number;
}

/** Is a step whose values were recorded. */
export interface RecordedStep {
  /** Whether every slice was told by at least one rank. */
  is_complete: boolean;
  /** How many ranks told. */
  ranks: number;
  /** Of the program; 0 is before its first. */
  step: number;
}

/** Is the cheapest way from one layout to another. */
export interface RedistributionAnswer {
  /** What each rank holds before the first step, up to 64 ranks; none above. */
  boxes: RankBox[];
  /** Bytes of an element. */
  itemsize: number;
  peak_bytes: number;
  ranks: number;
  /** The version of this schema. */
  schema: number;
  /** In all steps together. */
  sent_bytes: number;
  source: LayoutItem;
  steps: StepAnswer[];
  target: LayoutItem;
  /** The plan as text, a step a line. */
  text: string;
}

/** Is every redistribution of a program, in the order of the plan. */
export interface RedistributionList {
  chains: Chain[];
  program: string;
  /** The version of this schema. */
  schema: number;
  /** What a rank sends in a step for all of them. */
  sent_bytes: number;
}

/** Asks how a tensor gets from one layout to another. */
export interface RedistributionQuestion {
  dtype?: string;
  shape: number[];
  source: LayoutAsked;
  target: LayoutAsked;
}

/** Is the cheapest change of one operator's strategy that removes a collective. */
export interface RemedyAnswer {
  /** How many changes there were to try; fewer were tried if time ran out. */
  candidates: number;
  collective: number;
  /** Of the proposal. */
  dev_mat: number[];
  /** Whether a change removes it and makes the step cheaper. */
  found: boolean;
  /** The operator, cut as proposed; of operators that repeat, the first. */
  operator: OperatorItem | null;
  program: string;
  /** The version of this schema. */
  schema: number;
  /** What a rank sends in a step. */
  sent_after: number;
  sent_before: number;
  state: "done" | "working";
  /** The proposal, as a question about the program takes it: operators of the same line change together. */
  strategies: Record<string, ((number | number[])[])[] | null>;
  tried: number;
  words: string;
}

/** Is what the ways to cut a program lead to. */
export interface RepartitionAnswer {
  a: SideItem | null;
  b: SideItem | null;
  /** Movements beyond those. */
  left_out: number;
  /** Those of A and B compared, those that send most first; at most 500. */
  movements: MovementItem[];
  /** Operators that B, or A if there is no B, cuts otherwise than recorded. */
  operators: OperatorItem[];
  program: string;
  /** The version of this schema. */
  schema: number;
  /** Whether the answer is there; if not, ask again soon. */
  state: "done" | "working";
  strip: StripItem | null;
}

/** Asks how a program is cut one way or another, and what changes. */
export interface RepartitionQuestion {
  a?: SideAsked;
  /** Null to ask of A only. */
  b?: SideAsked | null;
  /** The parameter whose neighbourhood in the graph is asked for. */
  focus?: string | null;
  program?: string | null;
}

/** Is the overview of one run. */
export interface RunDetail {
  /** The device matrix in which the layouts of the parameters can all be drawn: their coarsest common one. */
  dev_mat: number[];
  /** The device matrices that layouts of parameters use, the most frequent first. */
  dev_mats: number[][];
  /** The first one first. */
  failures: Failure[];
  figures: Figure[];
  /** At most five, worst first. */
  findings: Finding[];
  /** In the order of their first ranks. */
  hosts: string[];
  /** The one that ran most steps on rank 0: the training step. */
  main_program: string | null;
  optimizer_states: number;
  /** What the user set. */
  options: Record<string, unknown>;
  /** Of all whole parameters together, optimizer states not counted. */
  parameter_bytes: number;
  /** How many parameters there are, optimizer states not counted. */
  parameters: number;
  /** Names of the compiled programs, in order. */
  programs: string[];
  /** Of the world, in order. */
  ranks: RankInfo[];
  /** The version of this schema. */
  schema: number;
  summary: RunSummary;
  /** Of simpar, Python, numpy, the MPI library and the like. */
  versions: Record<string, string>;
}

/** Is every run below the served folder, the newest first. */
export interface RunList {
  runs: RunSummary[];
  /** The version of this schema. */
  schema: number;
  unreadable: UnreadableRun[];
  /** Of simpar. */
  version: string;
}

/** Is one run in the list of runs. */
export interface RunSummary {
  /** Its arguments. */
  argv: string[];
  /** Devices that the program was compiled for. */
  device_num: number;
  /** Wall clock; null unless the run came to its end. */
  ended_s: number | null;
  /** Of rank 0, in the program that ran most steps. */
  last_loss: number | "nan" | "inf" | "-inf" | null;
  /** The parallel mode. */
  mode: string;
  /** The id, the name of its folder; it stands in the address of all that belongs to the run. */
  run: string;
  /** The program's file. */
  script: string;
  /** Wall clock, seconds since 1970; 0 if it was not recorded. */
  started_s: number;
  /** ``killed`` is a run that stopped without a word. */
  state: "running" | "finished" | "failed" | "killed";
  /** Steps that rank 0 finished. */
  steps: number;
  /** Ranks that ran it. */
  world_size: number;
}

/** Is the numbers worth a curve that arrived since the cursor. */
export interface ScalarList {
  /** Give it as ``since`` to get what arrived later. */
  cursor: number;
  /** The version of this schema. */
  schema: number;
  series: ScalarSeries[];
}

/** Is one curve of one rank. */
export interface ScalarSeries {
  name: string;
  rank: number;
  step: number[];
  value: (number | "nan" | "inf" | "-inf")[];
}

/** Is one way to cut a program; what it leaves out is as recorded. */
export interface SideAsked {
  dev_mat?: number[] | null;
  has_optimizer_shards?: boolean | null;
  /** Tensor maps over the device matrix, by the parameter's name. */
  maps?: Record<string, (number | number[])[]>;
  /** Tensor maps of an operator's operands over the device matrix, by the operator's id; null for the default. */
  strategies?: Record<string, unknown>;
}

/** Is what a rank sends in a step and keeps, one way. */
export interface SideItem {
  /** Of everything a step makes, as the executor would place it. */
  activation_bytes: number;
  /** Why the program cannot be cut so; the figures are 0 then. */
  error: string | null;
  /** How many values are moved by each kind. */
  kinds: Record<string, number>;
  largest_group: number;
  /** All together; null if it was not found. */
  memory_bytes: number | null;
  /** How many collectives run in a step; a bucket is one. */
  messages: number;
  optimizer_bytes: number;
  parameter_bytes: number;
  problems: ProblemItem[];
  ranks: number;
  sent_bytes: number;
}

/** Is all parameters under one strategy. */
export interface SideTotals {
  /** Parameters that cannot be cut so. */
  errors: number;
  /** What a rank sends in a step to sum gradients, at most. */
  gradient_bytes: number;
  /** What a rank needs for their gradients. */
  gradient_memory_bytes: number;
  /** The most copies that a slice has: the largest group that sums a gradient. */
  largest_group: number;
  /** What a rank keeps of all parameters together; those with errors are left out. */
  parameter_bytes: number;
  ranks: number;
  /** What a rank needs for the states of the optimizer. */
  state_bytes: number;
  total_bytes: number;
}

/** Is what one rank keeps of a parameter. */
export interface SliceHeld {
  /** Start and stop along each tensor axis. */
  box: [number, number][];
  /** Which copy of the slice it is, counted from 0. */
  copy_number: number;
  rank: number;
  /** The row-major number of its slice among all slices. */
  slice: number;
}

/** Is how one slice changed, as columns: entry i of each belongs to ``step[i]``. */
export interface SliceHistory {
  maximum: (number | "nan" | "inf" | "-inf")[];
  mean: (number | "nan" | "inf" | "-inf")[];
  minimum: (number | "nan" | "inf" | "-inf")[];
  norm: (number | "nan" | "inf" | "-inf")[];
  /** Those that hold it, by the layout; the first that told speaks for all. */
  ranks: number[];
  /** Its row-major number. */
  slice: number;
  std: (number | "nan" | "inf" | "-inf")[];
  step: number[];
}

/** Sums up the values of one rank's slice at one step; numbers are those of its finite values. */
export interface SliceMeasured {
  /** Counts of finite values in equal bins from minimum to maximum. */
  histogram: number[];
  infinities: number;
  maximum: number | "nan" | "inf" | "-inf";
  mean: number | "nan" | "inf" | "-inf";
  minimum: number | "nan" | "inf" | "-inf";
  nans: number;
  /** The square root of the sum of squares. */
  norm: number | "nan" | "inf" | "-inf";
  rank: number;
  /** The row-major number of its slice among all slices. */
  slice: number;
  std: number | "nan" | "inf" | "-inf";
}

/** Is one collective of one rank, exactly. */
export interface Span {
  /** Its index in the program. */
  collective: number;
  end_s: number;
  /** The place of the program in ``programs``. */
  program: number;
  rank: number;
  start_s: number;
  step: number;
  /** How much of its beginning was spent until the last rank of the group arrived. */
  wait_s: number;
}

/** Is one step of a redistribution. */
export interface StepAnswer {
  after: LayoutItem;
  before: LayoutItem;
  /** What each rank holds after it, up to 64 ranks; none above. */
  boxes: RankBox[];
  /** Device axes of ``before`` along which it works. */
  device_axes: number[];
  group_size: number;
  /** Every group, up to 64 ranks; above that the first. */
  groups: number[][];
  /** E.g. ``all_gather``; a ``slice`` moves nothing. */
  kind: string;
  /** Of a rank's slices before and after together. */
  peak_bytes: number;
  /** How many messages a rank sends one after the other. */
  rounds: number;
  /** What the rank that sends most sends. */
  sent_bytes: number;
  /** What a rank holds after it. */
  slice_shape: number[];
  /** What moves between two different ranks, up to 64 ranks; none above, none for a reduction. */
  transfers: TransferItem[];
  words: string;
}

/** Is steps as columns: entry i of each column belongs to step i. */
export interface StepColumns {
  end_s: number[];
  loss: (number | "nan" | "inf" | "-inf" | null)[];
  /** The place of the program in ``programs``. */
  program: number[];
  rank: number[];
  /** Seconds since the first rank started. */
  start_s: number[];
  step: number[];
}

/** Is where a step begins and ends on the rank that the timeline is measured by. */
export interface StepMark {
  end_s: number;
  /** The place of its program in ``programs``: each program counts its own steps. */
  program: number;
  start_s: number;
  step: number;
}

/** Is steps in the order in which they arrived. */
export interface Steps {
  columns: StepColumns;
  /** Give it as ``since`` to get what arrived later. */
  cursor: number;
  /** Whether there are more already. */
  more: boolean;
  programs: string[];
  /** The version of this schema. */
  schema: number;
}

/** Is a program as it can be planned: its parameters over one device matrix, its operators. */
export interface StrategyBase {
  /** Whether the program can be cut again. */
  can_partition: boolean;
  dev_mat: number[];
  /** Whether the parallel optimizer stores parameters cut. */
  has_optimizer_shards: boolean;
  operators: OperatorItem[];
  parameters: StrategyParameter[];
  program: string;
  /** Why it cannot; empty if it can. */
  reason: string;
  /** The version of this schema. */
  schema: number;
}

/** Is one parameter as the operators take it. */
export interface StrategyParameter {
  dtype: string;
  /** As the first operator takes it, over the common device matrix where it has one with the others. */
  layout: LayoutItem;
  name: string;
  shape: number[];
}

/** Is one server-sent event. */
export interface StreamEvent {
  /** A ``Delta`` as JSON; of ``end`` only its ``state``, of ``problem`` a ``Problem``. */
  data: string;
  /** ``delta`` brings what arrived; ``end`` says that the run has ended, ``problem`` that it cannot be read. */
  event: "delta" | "end" | "problem";
  /** The cursor after it. */
  id: string;
}

/** Is a value on its way, and the kinds of the steps inserted there. */
export interface StripEdge {
  /** Whether A moves nothing there. */
  is_new: boolean;
  kinds: string[];
  sent_bytes: number;
  source: string;
  target: string;
  /** Its shape and layouts. */
  words: string;
}

/** Is the neighbourhood of a parameter in the graph, under B if there is one, else A. */
export interface StripItem {
  edges: StripEdge[];
  nodes: StripNode[];
}

/** Is an operator, a parameter or an input of a stretch of the graph. */
export interface StripNode {
  /** Those that make its operands stand left of it. */
  column: number;
  detail: string;
  id: string;
  role: "op" | "parameter" | "input";
  words: string;
}

/** Is a stretch of time, cut into bins of equal length; where few collectives fall into it, each of them too. */
export interface Timeline {
  bins: number;
  /** What was added to each rank's clock to bring all on one time line. */
  clock_offsets_s: Record<string, number>;
  end_s: number;
  /** The first step of rank 0, of those that were recorded; 0 for none. */
  first_step: number;
  /** The same shares as numbers, a lane for each row; none if they were not asked for. */
  lanes: RankLanes[];
  last_step: number;
  /** At most 20, the most costly first. */
  late: LateRank[];
  programs: string[];
  /** Of every so-manieth step the times were read: of each if 1. What is shown of others follows from these. */
  read_every: number;
  /** The ranks of each row of the tile. */
  rows: number[][];
  /** The version of this schema. */
  schema: number;
  /** Every collective in the stretch if there are at most 2000, else none. */
  spans: Span[];
  /** Where the stretch begins, in seconds since the first rank started. */
  start_s: number;
  /** Of the first rank, within the stretch. */
  steps: StepMark[];
  /** How many of them had the times of their collectives read: old steps forget theirs. */
  timed_steps: number;
}

/** Is one box on its way between two ranks. */
export interface TransferItem {
  /** Start and stop along each axis of the whole tensor. */
  box: [number, number][];
  receiver: number;
  sender: number;
}

/** Is a folder whose run store cannot be read. */
export interface UnreadableRun {
  /** Why, and what to do. */
  message: string;
  /** The name of the folder. */
  run: string;
}
