/** A strategy as Python: a layout for each parameter, and `.shard(...)` for each operator. */

import type { OperatorItem } from "../api/types";
import type { Kind, Side, TensorMap } from "./strategy";
import { axesOf, mapOf, nameOfAxis, namesOf } from "./strategy";

export function asPython(
  side: Side,
  kinds: readonly Kind[],
  operators: readonly OperatorItem[] = [],
): string {
  const names = namesOf(side).map((n) => `"${n}"`);
  const lines = kinds.flatMap((kind) => {
    const made = layoutCall(side, mapOf(side, kind));
    return kind.names.map((name) => `    ${JSON.stringify(name)}: ${made},`);
  });
  const sharded = shards(side, operators);
  return [
    `from simpar import ops`,
    "from simpar.parallel import Layout",
    "",
    `layout = Layout(${tuple(side.devMat.map(String))}, ${tuple(names)})`,
    "",
    ...(sharded.length > 0
      ? ["# The operators, as they are cut. The lines are those of the program.", ...sharded]
      : [
          "# Give a layout to the op that uses the parameter, with one for its other operand:",
          `# ops.MatMul().shard((layout(${names[0]}, "None"), strategy["w"]))`,
        ]),
    "# How each parameter is cut then.",
    "strategy = {",
    ...lines,
    "}",
    "",
  ].join("\n");
}

function shards(side: Side, operators: readonly OperatorItem[]): string[] {
  const groups = new Map<string, { one: OperatorItem; many: number }>();
  for (const one of operators) {
    const key = JSON.stringify([
      starred(one.scope),
      one.op,
      one.line,
      one.operands,
      one.parameters.map(starred),
    ]);
    const found = groups.get(key);
    if (found) found.many += 1;
    else groups.set(key, { one, many: 1 });
  }
  return [...groups.values()].flatMap(({ one, many }) => {
    const scope = many > 1 ? starred(one.scope) : one.scope;
    const users = one.parameters.map(many > 1 ? starred : String).join(", ");
    const where = [users && `with ${users}`, scope && `in ${scope}`, one.line && `at ${one.line}`]
      .filter(Boolean)
      .join(" ");
    const times = many > 1 ? `, ${many} times` : "";
    return [
      `# ${one.op} ${where}${times}`.trim(),
      `${made(one)}.shard(${strategy(side, one)})`,
      "",
    ];
  });
}

function made(one: OperatorItem): string {
  return one.primitive ? `ops.${one.primitive}()` : `# ${one.op}`;
}

/** The operands' layouts by the names of device axes; numbers where an operator has a device matrix of its own. */
function strategy(side: Side, one: OperatorItem): string {
  const isOurs = one.operands.every((o) => o.dev_mat.join() === side.devMat.join());
  if (!isOurs) {
    return tuple((one.strategy ?? []).map((cuts) => tuple(cuts.map(String))));
  }
  return tuple(one.operands.map((o) => layoutCall(side, o.tensor_map as TensorMap)));
}

function layoutCall(side: Side, map: TensorMap): string {
  const entries = map.map((e) => {
    const axes = axesOf(e).map((a) => `"${nameOfAxis(side, a)}"`);
    return axes.length === 0 ? '"None"' : axes.length === 1 ? (axes[0] ?? "") : tuple(axes);
  });
  return `layout(${entries.join(", ")})`;
}

function starred(name: string): string {
  return name.replace(/(^|\.)\d+(?=\.|$)/g, "$1*");
}

function tuple(items: readonly string[]): string {
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
}
