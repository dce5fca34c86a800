// Goal: the laws hold in cases that are too large for every order.
// Method: scripts of a primitive's sweeps are put together to longer ones, and run in random orders.
// STACKFUL_MODEL_SEED runs the order of a seed first; STACKFUL_MODEL_ORDERS says how many per primitive.
import { test } from "vitest";
import { type Case, makeCase, type Primitive } from "./case.ts";
import { openExplorer, report } from "./check.ts";
import { primitives } from "./primitives/index.ts";

const SEED = Number(process.env.STACKFUL_MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const ORDERS = Number(process.env.STACKFUL_MODEL_ORDERS ?? 2_000);

/** As in guest/model.h. */
const OPS_MAX = 12;

for (const primitive of primitives) {
  const families = familiesOf(primitive);
  if (families.length === 0) continue;
  test(`${primitive.name}: its laws hold in random orders of long scripts`, async () => {
    const explorer = await openExplorer();
    let steps = 0;
    for (let seed = SEED; seed < SEED + ORDERS; seed++) {
      const random = generator(seed);
      const given = longCase(families, random);
      const explored = explorer.one(given, (_, count) => random() % count);
      steps += explored.steps;
      const { violation } = explored;
      if (violation === undefined) continue;
      throw new Error(
        `${violation.law}\n${violation.message}\nin ${given.name}\n${violation.log}\n` +
          `again: STACKFUL_MODEL_SEED=${seed} npm test -- test/model/random.test.ts -t '${primitive.name}'`,
      );
    }
    report(`${primitive.name}: ${ORDERS} random orders, ${steps} steps, seed ${SEED}`);
  });
}

/** Cases whose scripts can be put together: they have the same rules and begin alike. */
function familiesOf(primitive: Primitive): Case[][] {
  const families = new Map<string, Case[]>();
  const rules: unknown[] = [];
  for (const given of primitive.cases()) {
    if (!given.free) continue;
    if (!rules.includes(given.rules)) rules.push(given.rules);
    const key = `${rules.indexOf(given.rules)} ${JSON.stringify(given.setup)}`;
    families.set(key, [...(families.get(key) ?? []), given]);
  }
  return [...families.values()];
}

function longCase(families: readonly Case[][], random: () => number): Case {
  const family = pick(families, random);
  const parts = Array.from({ length: 2 + (random() % 3) }, () => pick(family, random).options);
  const count = Math.max(...parts.map(({ tasks }) => tasks.length));
  const tasks = Array.from({ length: count }, (_, task) =>
    parts.flatMap((part) => part.tasks[task] ?? []).slice(0, OPS_MAX),
  );
  const most = (key: "cancels" | "raises"): number =>
    parts.reduce((sum, part) => sum + (part[key] ?? 0), 0);
  return makeCase(family[0]!.rules, {
    ...parts[0]!,
    name: `a long case of ${parts.map((part) => part.name).join(" + ")}`,
    tasks,
    cancels: most("cancels"),
    raises: most("raises"),
  });
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[random() % from.length]!;
}

/** xorshift32. */
function generator(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state >>> 3;
  };
}
