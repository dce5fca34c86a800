//! Where hosts stand in the picture, and how large a cell can be so that all fit.

import { HOSTS, type HostKind } from "../engine/protocol.ts";

/** In device pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Where its cells begin. */
  readonly cellsX: number;
  readonly cellsY: number;
  readonly columns: number;
  readonly rows: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Between cells, part of their size. */
  readonly gap: number;
}

/** In CSS pixels. */
const HEADER = 26;
const PADDING = 5;
const BETWEEN_BOXES = 12;
const WIDE_FROM = 620;
const CELL_MAX = 22;

/** Cells are squares, or one pixel wider than high. */
function* cellSizes(max: number): Generator<readonly [number, number]> {
  for (let size = max; size >= 1; size--) {
    yield [size, size];
    if (size > 1) yield [size, size - 1];
  }
}

/**
 * @param cells - places of each host.
 * @param ratio - device pixels for each CSS pixel.
 */
export function layOut(
  width: number,
  height: number,
  ratio: number,
  cells: readonly number[],
): Layout {
  const wide = width >= WIDE_FROM * ratio;
  const columns = columnsOf(width, height, ratio, wide);
  const px = (css: number): number => Math.round(css * ratio);
  for (const [cellWidth, cellHeight] of cellSizes(px(CELL_MAX))) {
    const { boxes, fits } = placeAll(columns, cells, [cellWidth, cellHeight], px);
    // Nothing is smaller than a pixel.
    if (!fits && cellWidth > 1) continue;
    const gap = cellHeight >= px(8) ? px(1) : cellHeight >= 3 ? 1 : 0;
    return { width, height, boxes, cellWidth, cellHeight, gap };
  }
  return { width, height, boxes: [], cellWidth: 1, cellHeight: 1, gap: 0 };
}

interface Column {
  readonly kind: HostKind;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Both halves of the network beside each other, or one above the other. */
function columnsOf(width: number, height: number, ratio: number, wide: boolean): Column[] {
  const kinds: HostKind[] = ["echo-client", "echo-server", "chat-server", "chat-client"];
  if (wide) {
    const link = Math.round(Math.min(0.13 * width, 150 * ratio));
    const middle = Math.round(16 * ratio);
    const each = Math.floor((width - 2 * link - middle) / 4);
    const xs = [0, each + link, 2 * each + link + middle, 3 * each + 2 * link + middle];
    return kinds.map((kind, index) => ({ kind, x: xs[index]!, y: 0, width: each, height }));
  }
  const link = Math.round(0.2 * width);
  const each = Math.floor((width - link) / 2);
  const half = Math.floor(height / 2 - 8 * ratio);
  const below = height - half;
  return [
    { kind: "echo-client", x: 0, y: 0, width: each, height: half },
    { kind: "echo-server", x: each + link, y: 0, width: each, height: half },
    { kind: "chat-server", x: each + link, y: below, width: each, height: half },
    { kind: "chat-client", x: 0, y: below, width: each, height: half },
  ];
}

function placeAll(
  columns: readonly Column[],
  cells: readonly number[],
  [cellWidth, cellHeight]: readonly [number, number],
  px: (css: number) => number,
): { boxes: Box[]; fits: boolean } {
  const boxes: Box[] = [];
  let fits = true;
  for (const column of columns) {
    const across = Math.floor((column.width - 2 * px(PADDING)) / cellWidth);
    const hosts = HOSTS.flatMap(({ kind }, host) => (kind === column.kind ? [host] : []));
    const rows = hosts.map((host) => Math.max(1, Math.ceil(cells[host]! / across)));
    const heights = rows.map((count) => px(HEADER) + count * cellHeight + px(PADDING));
    const between = px(BETWEEN_BOXES);
    const total = heights.reduce((sum, height) => sum + height + between, -between);
    if (total > column.height) fits = false;
    const spare = Math.max(0, column.height - total);
    // Apart from each other rather than from the edge.
    let y = column.y + Math.floor(spare / (hosts.length + 1));
    for (const [index, host] of hosts.entries()) {
      boxes[host] = {
        x: column.x,
        y,
        width: column.width,
        height: heights[index]!,
        cellsX: column.x + Math.floor((column.width - across * cellWidth) / 2),
        cellsY: y + px(HEADER),
        columns: across,
        rows: rows[index]!,
      };
      y += heights[index]! + between + Math.floor(spare / (hosts.length + 1));
    }
  }
  return { boxes, fits };
}

/** What lies at a point: a host, and the place of a cell, -1 beside all cells. */
export function hit(
  layout: Layout,
  x: number,
  y: number,
): { host: number; cell: number } | undefined {
  const host = layout.boxes.findIndex(
    (box) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height,
  );
  const box = layout.boxes[host];
  if (box === undefined) return undefined;
  const column = Math.floor((x - box.cellsX) / layout.cellWidth);
  const row = Math.floor((y - box.cellsY) / layout.cellHeight);
  const inside = column >= 0 && column < box.columns && row >= 0 && row < box.rows;
  return { host, cell: inside ? row * box.columns + column : -1 };
}
