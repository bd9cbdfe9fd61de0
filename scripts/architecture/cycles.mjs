/**
 * One cycle for each way back that a depth-first walk meets; none when there is none.
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @returns {string[][]} each from a node round to the same node
 */
export function cyclesIn(graph) {
  /** @type {string[][]} */
  const cycles = [];
  const done = new Set();
  /** @type {string[]} */
  const trail = [];
  const walk = (/** @type {string} */ node) => {
    const since = trail.indexOf(node);
    if (since !== -1) {
      cycles.push([...trail.slice(since), node]);
      return;
    }
    if (done.has(node)) return;
    trail.push(node);
    for (const next of graph.get(node) ?? []) walk(next);
    trail.pop();
    done.add(node);
  };
  for (const node of graph.keys()) walk(node);
  return cycles;
}
