/** Where nodes stand, and the ways between them: in a ring, clockwise, node 1 at the top. */
export type Point = { readonly x: number; readonly y: number };

export const NODE_RADIUS = 46;
const RING_RADIUS = 168;
/** What goes one way keeps so far to its right, so that both ways are seen. */
const ASIDE = 9;

export function placeOf(node: number, nodes: number): Point {
  if (nodes === 1) return { x: 0, y: 0 };
  const angle = ((node - 1) / nodes) * 2 * Math.PI - Math.PI / 2;
  return { x: RING_RADIUS * Math.cos(angle), y: RING_RADIUS * Math.sin(angle) };
}

/** From the edge of one node to that of the other. A node's way to itself, which a process beside it has, is a point. */
export function wayOf(from: number, to: number, nodes: number): readonly [Point, Point] {
  const [start, end] = [placeOf(from, nodes), placeOf(to, nodes)];
  const length = Math.hypot(end.x - start.x, end.y - start.y);
  if (length === 0) return [start, end];
  const along = { x: (end.x - start.x) / length, y: (end.y - start.y) / length };
  const aside = { x: -along.y * ASIDE, y: along.x * ASIDE };
  const at = (distance: number): Point => ({
    x: start.x + along.x * distance + aside.x,
    y: start.y + along.y * distance + aside.y,
  });
  return [at(NODE_RADIUS), at(length - NODE_RADIUS)];
}

export function pointOn([start, end]: readonly [Point, Point], done: number): Point {
  return { x: start.x + (end.x - start.x) * done, y: start.y + (end.y - start.y) * done };
}
