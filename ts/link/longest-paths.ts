//! The heaviest path from every node of a call graph, and the cycles where there is none.
//!
//! Calls can nest a hundred thousand deep, so nothing here recurses.

export interface Edge {
  readonly to: number;
  /** Weight of `from` when the path goes on over this edge. */
  readonly weight: number;
}

export interface Paths {
  /** Weight of the heaviest path from a node; undefined when it can reach a cycle or an endless node. */
  readonly weights: readonly (number | undefined)[];
  /** The edge by which that path goes on; undefined where it ends. */
  readonly next: readonly (Edge | undefined)[];
  /** Nodes on cycles, each with all nodes that it shares cycles with. */
  readonly cycles: ReadonlyMap<number, readonly number[]>;
}

/**
 * `ends`: weight of each node as the last one of a path. `endless`: nodes whose weight has no bound.
 */
export function longestPaths(
  edges: readonly (readonly Edge[])[],
  ends: readonly number[],
  endless: Iterable<number>,
): Paths {
  const weights: (number | undefined)[] = new Array(edges.length).fill(undefined);
  const next: (Edge | undefined)[] = new Array(edges.length).fill(undefined);
  const cycles = new Map<number, readonly number[]>();
  const isEndless = new Set(endless);
  components(edges, (members) => {
    const [node] = members as [number];
    if (members.length > 1 || edges[node]!.some((edge) => edge.to === node)) {
      for (const member of members) cycles.set(member, members);
      return;
    }
    if (isEndless.has(node)) return;
    let heaviest = ends[node]!;
    for (const edge of edges[node]!) {
      const rest = weights[edge.to];
      if (rest === undefined) return;
      if (edge.weight + rest <= heaviest) continue;
      heaviest = edge.weight + rest;
      next[node] = edge;
    }
    weights[node] = heaviest;
  });
  return { weights, next, cycles };
}

/** Tarjan's strongly connected components; each is emitted after those that it reaches. */
function components(
  edges: readonly (readonly Edge[])[],
  emit: (members: readonly number[]) => void,
): void {
  const UNSEEN = 0;
  const order = new Uint32Array(edges.length);
  const lowest = new Uint32Array(edges.length);
  const position = new Uint32Array(edges.length);
  const open = new Uint8Array(edges.length);
  const members: number[] = [];
  const path: number[] = [];
  let counter = UNSEEN;
  const enter = (node: number): void => {
    order[node] = lowest[node] = ++counter;
    open[node] = 1;
    members.push(node);
    path.push(node);
  };
  for (let root = 0; root < edges.length; root++) {
    if (order[root] === UNSEEN) enter(root);
    while (path.length > 0) {
      const node = path.at(-1)!;
      const edge = edges[node]![position[node]!++];
      if (edge !== undefined) {
        if (order[edge.to] === UNSEEN) enter(edge.to);
        else if (open[edge.to]) lowest[node] = Math.min(lowest[node]!, order[edge.to]!);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) lowest[parent] = Math.min(lowest[parent]!, lowest[node]!);
      if (lowest[node] !== order[node]) continue;
      const component = members.splice(members.lastIndexOf(node));
      for (const member of component) open[member] = 0;
      emit(component);
    }
  }
}

/**
 * For every node that reaches one of `targets`, the next node on a shortest way there; a target leads to
 * itself.
 */
export function waysTo(
  edges: readonly (readonly Edge[])[],
  targets: Iterable<number>,
): Map<number, number> {
  const callers: number[][] = edges.map(() => []);
  edges.forEach((list, from) => {
    for (const { to } of list) callers[to]!.push(from);
  });
  const toward = new Map<number, number>();
  for (const target of targets) toward.set(target, target);
  // A map iterates over what is added on the way.
  for (const node of toward.keys()) {
    for (const caller of callers[node]!) if (!toward.has(caller)) toward.set(caller, node);
  }
  return toward;
}

/** A shortest cycle through `node`, which is on one, within `members`. */
export function cycleThrough(
  edges: readonly (readonly Edge[])[],
  node: number,
  members: readonly number[],
): number[] {
  const inside = new Set(members);
  const cameFrom = new Map<number, number>();
  const pending = [node];
  // An array iterates over what is added on the way.
  for (const from of pending) {
    for (const { to } of edges[from]!) {
      if (to === node) {
        const cycle = [from];
        while (cycle.at(-1) !== node) cycle.push(cameFrom.get(cycle.at(-1)!)!);
        return cycle.reverse();
      }
      if (!inside.has(to) || cameFrom.has(to)) continue;
      cameFrom.set(to, from);
      pending.push(to);
    }
  }
  return [node];
}
