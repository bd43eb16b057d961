// Times what a page would need to know the slice of every rank of a run: 5000 parameters over 1024 ranks, on one core.

import { rolldown } from "rolldown";

const PARAMETERS = 5000;
const ROUNDS = 5;

const bundle = await rolldown({
  input: new URL("../src/math/layout.ts", import.meta.url).pathname,
});
const { output } = await bundle.generate({ format: "esm" });
const { sliceIndices } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
const layouts = Array.from({ length: PARAMETERS }, (_, i) => ({
  dev_mat: [32, 32],
  tensor_map: [(i % 3) - 1, i % 3 === 1 ? 1 : -1],
}));

const found = [];
for (let round = 0; round < ROUNDS; round++) {
  const start = process.cpuUsage();
  for (const layout of layouts) sliceIndices(layout);
  const { user, system } = process.cpuUsage(start);
  found.push((user + system) / 1000);
}
console.log(found.toSorted((a, b) => a - b)[ROUNDS >> 1].toFixed(1));
