/** The words of the lessons: what is shown in each frame, one question, why, and the program to run. */

import type { Tint } from "./picture";

export interface Choice {
  readonly words: string;
  /** What to say when it is chosen. */
  readonly feedback: string;
  readonly isRight?: boolean;
}

export interface Lesson {
  readonly id: string;
  readonly title: string;
  /** The idea in one or two sentences, before anything is shown. */
  readonly idea: string;
  readonly question: string;
  readonly choices: readonly Choice[];
  /** What each frame shows, by its recorded name; none for the lessons that draw in their own way. */
  readonly captions: Readonly<Record<string, string>>;
  readonly tint: Tint;
  /** What to keep. */
  readonly explain: readonly string[];
  readonly command: string;
  /** What the command shows. */
  readonly shows: string;
}

const SLICES: Lesson = {
  id: "slices",
  title: "Slices",
  tint: "place",
  idea: "A layout says which slice of a tensor each rank holds. The device matrix arranges the ranks; the tensor map names, for each axis of the tensor, the device axis that cuts it. Device axes are counted from the right.",
  question: "Device matrix (2, 2), tensor map (1, 0), tensor (4, 4). What does rank 2 hold?",
  choices: [
    {
      words: "Rows 2 and 3, all columns",
      feedback: "Not quite: tensor axis 1 is cut too, by device axis 0.",
    },
    {
      words: "Rows 2 and 3, columns 0 and 1",
      isRight: true,
      feedback: "Yes. Rank 2 stands at (1, 0): second half of the rows, first half of the columns.",
    },
    {
      words: "Rows 0 and 1, columns 2 and 3",
      feedback:
        "That is rank 1, at (0, 1). The first coordinate belongs to device axis 1, which cuts the rows.",
    },
  ],
  captions: {
    whole: "One device holds the whole tensor w (4, 4).",
    rows: "Device matrix (4,), tensor map (0, −1): device axis 0 cuts the rows in 4. −1 leaves the columns whole. Each rank holds (1, 4).",
    columns: "Tensor map (−1, 0): now the columns are cut. Each rank holds (4, 1).",
    both: "Device matrix (2, 2), tensor map (1, 0): device axis 1 cuts the rows in 2, device axis 0 the columns in 2. Each rank holds (2, 2).",
  },
  explain: [
    "The slice shape is the shape divided by the cuts: 16 numbers, 4 on each rank, whichever way they are cut.",
    "A cut must divide the length of its axis; otherwise simpar says which length would do.",
  ],
  command: "simpar run scenarios/layouts.py -n 4",
  shows: "Tensors shows the slices of every parameter of that run.",
};

const COPIES: Lesson = {
  id: "copies",
  title: "Copies",
  tint: "place",
  idea: "A device axis that cuts nothing repeats: the ranks along it hold the same slice. Repeating costs memory; a rank that has a copy need not ask for it.",
  question: "Device matrix (2, 2), tensor map (0, −1). Who holds the same rows as rank 0?",
  choices: [
    {
      words: "Rank 1",
      feedback:
        "Rank 1 differs from rank 0 along device axis 0, which cuts the rows: it holds the other half.",
    },
    {
      words: "Rank 2",
      isRight: true,
      feedback: "Yes. It differs from rank 0 only along device axis 1, which cuts nothing.",
    },
    { words: "No rank", feedback: "There are 4 ranks but only 2 slices, so each is held twice." },
  ],
  captions: {
    repeated:
      "Tensor map (−1, −1): nothing is cut, 4 ranks hold 4 copies. The hatched ones could be done without.",
    axis0:
      "Tensor map (0, −1): device axis 0 cuts the rows, device axis 1 repeats. Ranks 0 and 2 hold the same, and so do 1 and 3.",
    axis1:
      "Tensor map (1, −1): device axis 1 cuts the rows, device axis 0 repeats. Now ranks 0 and 1 hold the same.",
    none: "Tensor map (1, 0): both device axes cut. No copies: 4 slices on 4 ranks.",
  },
  explain: [
    "Slices times copies is the number of ranks: 1 × 4, 2 × 2, 2 × 2, 4 × 1.",
    "Copies must stay equal. In data parallelism this is why gradients are summed over the ranks that repeat a weight.",
  ],
  command: "simpar run scenarios/tensor_parallel.py -n 4",
  shows: "In Tensors, hatched tiles are copies.",
};

const PARTIAL: Lesson = {
  id: "partial",
  title: "Partial sums",
  tint: "place",
  idea: "y = x @ w sums over the inner axis, the factor k. Cut k, and every rank can multiply what it has, but what it gets is only a term of the sum.",
  question:
    "x (2, 4) is cut by columns and w (4, 2) by rows, each in 4. What does rank 1 get from its own product?",
  choices: [
    {
      words: "A quarter of y",
      feedback: "No axis of y is cut: (2, 1) @ (1, 2) is a whole (2, 2).",
    },
    {
      words: "All of y",
      feedback: "It has the shape of y, but rank 1 saw only one of the 4 columns of x.",
    },
    {
      words: "A matrix of y's shape, to be added to three others",
      isRight: true,
      feedback: "Yes: y is partial. Each rank holds a term, and the sum of the terms is y.",
    },
  ],
  captions: {
    operands: "Each rank holds one column of x and the row of w that goes with it.",
    terms:
      "Each rank multiplies its own. The results have the right shape, but each is a term: dots mark what is still to be summed.",
    summed:
      "all_reduce adds the four terms and gives every rank the sum. Now y is whole and repeated.",
  },
  explain: [
    "A factor that is cut and missing from the result makes the result partial. From this rule follow the gradient's all_reduce in data parallelism and the all_reduce after a row-cut layer.",
    "A partial value can wait: simpar joins it only when something needs the sum.",
  ],
  command: "simpar run scenarios/tensor_parallel.py -n 4",
  shows: "In Communication, the all_reduce of the second product is this one.",
};

const COLLECTIVES: Lesson = {
  id: "collectives",
  title: "The six collectives",
  tint: "source",
  idea: "Ranks of a group move data together. Five collectives and send do all the moving in simpar. Colours tell which rank a number comes from.",
  question:
    "Every rank holds 4 numbers to be summed, but needs only one of the sums. Which collective sends least?",
  choices: [
    {
      words: "all_reduce",
      feedback: "It works, and sends 24 bytes a rank: it gives every sum to every rank.",
    },
    {
      words: "reduce_scatter",
      isRight: true,
      feedback: "Yes: 12 bytes a rank, half of all_reduce. Each rank gets the one sum it needs.",
    },
    {
      words: "all_to_all",
      feedback: "It sends 12 bytes too, but sums nothing: each rank would still have to add up.",
    },
  ],
  captions: {
    start:
      "Rank 0 holds 10, 11, 12, 13; rank 1 holds 20, 21, 22, 23; and so on. Every collective starts from here.",
    all_reduce:
      "all_reduce: place by place the sum over all ranks, on every rank. 10 + 20 + 30 + 40 = 100.",
    reduce_scatter: "reduce_scatter: the same sums, but rank r gets only the one at place r.",
    all_gather: "all_gather: each rank gives one number and gets those of all, in rank order.",
    all_to_all: "all_to_all: rank r gives its number at place j to rank j. Rows become columns.",
    broadcast: "broadcast: rank 0 gives what it has to all.",
    send: "send and receive: here each rank sends to the next, and rank 3 to rank 0.",
  },
  explain: [
    "all_reduce is a reduce_scatter followed by an all_gather, and sends as much as both: 12 + 12 = 24 bytes a rank.",
    "The bytes are those of a ring, n ranks: of a message of m bytes a rank sends m (n − 1) / n in each of the two.",
  ],
  command: "simpar run scenarios/hybrid_parallel.py -n 4",
  shows: "The program writes its collectives by hand; Communication lists them.",
};

const MATMUL: Lesson = {
  id: "matmul",
  title: "Matmul four ways",
  tint: "place",
  idea: "y = x @ w has three factors: rows i of x, columns j of w, and the inner k. Cutting one of them, or two, gives the ways to multiply in parallel. Factors that y keeps cost no message.",
  question: "Which cut needs a collective before y can be used?",
  choices: [
    { words: "The rows of x", feedback: "No: each rank computes its own rows of y, exactly." },
    {
      words: "The columns of w",
      feedback: "No: each rank computes its own columns of y, exactly.",
    },
    {
      words: "The inner axis: columns of x, rows of w",
      isRight: true,
      feedback: "Yes: k is missing from y, so every rank holds a term.",
    },
  ],
  captions: {
    rows: "Cut i, strategy ((4, 1), (1, 1)): rows of x, w repeated, rows of y. This is data parallelism.",
    columns:
      "Cut j, strategy ((1, 1), (1, 4)): x repeated, columns of w, columns of y. This is a column-cut layer.",
    inner:
      "Cut k, strategy ((1, 4), (4, 1)): columns of x, rows of w. Every rank gets a term of the whole y.",
    summed: "The terms are joined by an all_reduce of 64 bytes: this is a row-cut layer.",
    both: "Cut i and j, strategy ((2, 1), (1, 2)): device matrix (2, 2), a block of y on each rank, and no message.",
  },
  explain: [
    "A column-cut layer followed by a row-cut one needs a single all_reduce: y leaves the first cut just as the second wants it.",
    "What a rank holds differs: cut i repeats the weight, cut j the input. Large weights want j or k.",
  ],
  command: "simpar run scenarios/tensor_parallel.py -n 4",
  shows: "Its strategies are the ones above; Graph shows them under each product.",
};

const REDISTRIBUTION: Lesson = {
  id: "redistribution",
  title: "Finding a redistribution",
  tint: "place",
  idea: "An op may need its operand in another layout than it has. A redistribution gets it there in steps. simpar searches for the steps that cost least.",
  question:
    "From rows cut in 4 to columns cut in 2. The simple way is to all_gather everything and keep a slice: 48 bytes a rank. Can it be done with less?",
  choices: [
    {
      words: "No, every rank needs all the data",
      feedback: "At the end each rank holds half of the columns: 8 of the 16 numbers.",
    },
    {
      words: "Yes, with 24 bytes",
      isRight: true,
      feedback:
        "Yes: first swap between pairs, then gather between pairs. No rank gets what it does not keep.",
    },
    {
      words: "Yes, with nothing at all",
      feedback:
        "A rank holds 2 of the numbers of its half of the columns; the other 6 must come from somewhere.",
    },
  ],
  captions: {
    "first 0":
      "The simple way. Device matrix (2, 2), tensor map ((1, 0), −1): both device axes cut the rows.",
    "first 1": "all_gather over all ranks: everyone holds everything.",
    "first 2":
      "slice: each rank keeps its columns, tensor map (−1, 0). Nothing moves, but half of what came is thrown away.",
    "found 0": "The way that simpar finds, from the same start.",
    "found 1":
      "all_to_all along device axis 0, ranks 0 and 1, ranks 2 and 3: the cut goes from the rows to the columns.",
    "found 2":
      "all_gather along device axis 1, ranks 0 and 2, ranks 1 and 3: the rows become whole. The same layout, for half the bytes.",
  },
  explain: [
    "Steps are slices, all_gather, all_to_all, reduce_scatter, all_reduce and permute; each has a price in bytes and rounds, and the cheapest path wins.",
    "Another strategy may need no redistribution at all: that is the cheapest.",
  ],
  command: "simpar run scenarios/redistribution.py -n 4",
  shows: "Redistribution plays every chain of a run step by step.",
};

const FUSION: Lesson = {
  id: "fusion",
  title: "Data-parallel fusion",
  tint: "place",
  idea: "In data parallelism each rank has its own part of the batch, so its gradients are terms. They are summed over all ranks, one all_reduce for each parameter, or fewer: gradients with the same fusion index travel in one bucket.",
  question: "dw1, db1 and dw2 have 16, 8 and 16 bytes. What changes with one bucket?",
  choices: [
    {
      words: "Fewer bytes are sent",
      feedback: "The same 40 bytes are summed, so a rank sends the same 60 in total.",
    },
    {
      words: "One message instead of three, the same bytes",
      isRight: true,
      feedback:
        "Yes. Each message waits once for the others and the network; one bucket waits once.",
    },
    {
      words: "The sums differ",
      feedback:
        "Not here: each number is summed with the same numbers, wherever it stands in the buffer.",
    },
  ],
  captions: {
    gradients:
      "After the backward pass each rank holds the gradients of its own row of the batch: terms.",
    "w1 alone": "Without fusion: the first all_reduce sums dw1.",
    "b1 alone": "The second sums db1.",
    "w2 alone": "The third sums dw2. Three messages, 24 + 12 + 24 bytes from each rank.",
    bucket:
      "With one fusion index the three gradients are views of one flat buffer: dw1, db1, dw2 side by side.",
    joined: "One all_reduce sums the bucket: one message, 60 bytes from each rank.",
  },
  explain: [
    "A bucket can start when its last gradient is ready. One large bucket waits for the end of the backward pass; several overlap with it. comm_fusion chooses.",
    "simpar lays gradients out so that a bucket needs no copy.",
  ],
  command: "simpar run scenarios/comm_fusion.py -n 4",
  shows: "Communication, Buckets shows what travels together.",
};

const OPTIMIZER: Lesson = {
  id: "optimizer",
  title: "Optimizer sharding",
  tint: "place",
  idea: "Data parallelism repeats each weight, and its optimizer state, on every rank. The parallel optimizer cuts both over those ranks: each stores and updates its part. The weight is gathered when it is used.",
  question:
    "w (4, 4) and its moment m are cut over 4 ranks. Which collectives replace the gradient's all_reduce?",
  choices: [
    {
      words: "all_gather of w, reduce_scatter of dw",
      isRight: true,
      feedback: "Yes: 48 + 48 bytes a rank, as much as an all_reduce of dw, 96.",
    },
    {
      words: "broadcast of w, all_reduce of dw",
      feedback: "No rank holds the whole w to broadcast, and no rank needs the whole sum.",
    },
    {
      words: "None",
      feedback: "The product needs the whole w, and each rank's dw is only a term.",
    },
  ],
  captions: {
    repeated:
      "Without it: every rank stores all of w and of its moment m, 128 bytes; all but one are copies.",
    stored: "With it: device axis 0 cuts the rows of both. 32 bytes a rank.",
    gathered: "Before the forward pass an all_gather makes w whole.",
    gradient:
      "Backward: each rank holds a term of the whole gradient. The gathered w has been let go.",
    scattered: "reduce_scatter: each rank gets the sum of the rows that it stores.",
    updated: "Each rank updates its rows: m = m + dw, w = w − 0.1 m. The moment never travels.",
  },
  explain: [
    "The bytes on the wire stay those of data parallelism; the memory of weight and state is divided by the number of copies.",
    "It is only a storage layout. A parameter whose slice does not divide, or with parallel_optimizer=False, stays as it was.",
  ],
  command: "simpar run scenarios/parallel_optimizer.py -n 4",
  shows: "Memory compares what each rank keeps.",
};

const PIPELINE: Lesson = {
  id: "pipeline",
  title: "The pipeline bubble",
  tint: "place",
  idea: "A pipeline gives each rank a stage: some layers. A batch goes through in micro-batches, so that stages work at the same time. At the start and at the end some wait: the bubble.",
  question:
    "4 stages. How does the share of time spent waiting change when the batch is cut into more micro-batches?",
  choices: [
    {
      words: "It grows: there is more to wait for",
      feedback:
        "The waiting stays (4 − 1) turns forward and as many back; the work around it grows.",
    },
    {
      words: "It shrinks",
      isRight: true,
      feedback: "Yes: (p − 1) / (m + p − 1) for p stages and m micro-batches.",
    },
    {
      words: "It stays",
      feedback: "The number of waiting turns stays; its share of a growing total shrinks.",
    },
  ],
  captions: {},
  explain: [
    "This schedule is predicted, not recorded: every turn takes one unit of time, backward two, and messages none. simpar's ranks do not run stages.",
    "More micro-batches mean smaller products, which use a device less well, and more activations kept for the way back.",
  ],
  command: "simpar plan scenarios/gpt.py -n 8",
  shows: "It predicts a step without stages on 8 devices, without running it.",
};

const TIMELINE: Lesson = {
  id: "timeline",
  title: "Reading a timeline",
  tint: "place",
  idea: "A row is a rank, a bar is what it did. A collective ends when the last rank has come, so who waits is not who is slow.",
  question:
    "Ranks 0, 1 and 3 spend half of the step in all_reduce, rank 2 nearly nothing. Which rank should be looked at?",
  choices: [
    {
      words: "Ranks 0, 1 and 3: their all_reduce is slow",
      feedback: "They came early and wait inside the all_reduce. The sum itself takes a moment.",
    },
    {
      words: "Rank 2",
      isRight: true,
      feedback:
        "Yes: its all_reduce is short because the others were already there. It came last, since it computed longest.",
    },
    {
      words: "The network",
      feedback:
        "The shortest bar of a collective tells how long moving takes: that of rank 2, nearly nothing.",
    },
  ],
  captions: {},
  explain: [
    "Recorded from four ranks. A pause stands for the computing, twice as long on rank 2; the all_reduce is real.",
    "The shortest bar of a collective is close to what moving costs; what the other bars have beyond it is waiting.",
  ],
  command: "simpar run scenarios/data_parallel.py -n 4",
  shows: "Timeline shows its steps in the same way, and marks the rank that came last.",
};

export const LESSONS: readonly Lesson[] = [
  SLICES,
  COPIES,
  PARTIAL,
  COLLECTIVES,
  MATMUL,
  REDISTRIBUTION,
  FUSION,
  OPTIMIZER,
  PIPELINE,
  TIMELINE,
];
