import { type Params, param, type Sample } from "../scenario.ts";

interface State {
  last: number;
  turns: number;
}

async function descend(id: number, depth: number, rounds: number, state: State): Promise<number> {
  if (depth > 0) return (await descend(id, depth - 1, rounds, state)) + 1;
  let sum = 0;
  for (let i = 0; i < rounds; i++) {
    if (state.last !== id) {
      state.last = id;
      state.turns++;
    }
    sum += i;
    await undefined;
  }
  return sum;
}

/** Two async functions that await nothing in turns: a switch is one microtask. */
export async function switchInJs(params: Params): Promise<Sample> {
  const [depth, rounds] = [param(params, "depth"), param(params, "rounds")];
  const state: State = { last: -1, turns: 0 };
  const start = process.hrtime.bigint();
  const sums = await Promise.all([0, 1].map((id) => descend(id, depth, rounds, state)));
  const ns = Number(process.hrtime.bigint() - start);
  return {
    metrics: { "ns/switch": ns / (2 * rounds) },
    checksum: String(sums.reduce((total, sum) => total + sum, 0)),
    notes: { turns: state.turns },
  };
}
