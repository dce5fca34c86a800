//! The picture: hosts with a cell for each of their coroutines, links, and messages on them. Pointer and keys
//! move over its cells.

import { CELL_RAN, CELL_WAIT, HOSTS, type Picture } from "../engine/protocol.ts";
import { CALM } from "./calm.ts";
import { hit, type Layout, layOut } from "./layout.ts";
import { Links } from "./links.ts";
import { blend, kindOf, RAN, readPalette } from "./palette.ts";

export interface Place {
  readonly host: number;
  readonly cell: number;
}

export interface StageEvents {
  /** A cell was chosen. */
  cell(place: Place): void;
  /** The cursor has come to a cell. */
  moved(place: Place): void;
  /** A host was chosen. */
  host(host: number): void;
  /** Where hosts stand has changed: in CSS pixels. */
  placed(boxes: readonly { x: number; y: number; width: number }[]): void;
}

/** Steps in which the mark of a cell that has run fades, one each frame. */
const HEATS = 10;

export class Stage {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #events: StageEvents;
  readonly #links = new Links();
  /** One pixel for each cell, by host. */
  readonly #images = HOSTS.map(() => document.createElement("canvas"));
  #palette = readPalette();
  #layout: Layout | undefined;
  #layoutCells: readonly number[] = [];
  /** How much longer each cell shows that it has run, in frames; by host. */
  readonly #heats = HOSTS.map(() => new Uint8Array(0));
  /** By index of `waits` times HEATS, plus heat. */
  #colors = new Uint32Array(0);
  #ratio = 1;
  #cursor: Place | undefined;
  selected: Place | undefined;

  constructor(canvas: HTMLCanvasElement, events: StageEvents) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: true })!;
    this.#events = events;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    canvas.addEventListener("pointerdown", (event) => this.#onPointer(event));
    canvas.addEventListener("keydown", (event) => this.#onKey(event));
    canvas.addEventListener("focus", () => this.#moveTo(this.#cursor ?? { host: 0, cell: 0 }));
    this.#resize();
  }

  /** The theme has changed. */
  recolor(): void {
    this.#palette = readPalette();
    this.#colors = new Uint32Array(0);
  }

  draw(picture: Picture): void {
    const layout = this.#fit(picture);
    const context = this.#context;
    context.clearRect(0, 0, layout.width, layout.height);
    if (layout.boxes.length === 0) return;
    this.#links.draw({ context, palette: this.#palette, ratio: this.#ratio }, layout, picture);
    this.#chooseColors(picture.waits);
    let at = 0;
    for (const [host, { cells, up }] of picture.hosts.entries()) {
      this.#drawHost(host, layout, up, picture.cells.subarray(at, at + cells));
      at += cells;
    }
    if (this.selected !== undefined) this.#frame(layout, this.selected, this.#palette.ink, 2);
    const focused = document.activeElement === this.#canvas;
    if (focused && this.#cursor !== undefined) {
      this.#frame(layout, this.#cursor, this.#palette.focus, 3);
    }
  }

  #resize(): void {
    this.#ratio = Math.min(devicePixelRatio || 1, 3);
    const { clientWidth, clientHeight } = this.#canvas;
    this.#canvas.width = Math.round(clientWidth * this.#ratio);
    this.#canvas.height = Math.round(clientHeight * this.#ratio);
    this.#layout = undefined;
  }

  /** Cells keep their size until they no longer fit, or fill less than half of the room. */
  #fit({ hosts }: Picture): Layout {
    const cells = hosts.map((host) => host.cells);
    const { width, height } = this.#canvas;
    const grown = cells.some((count, host) => count > (this.#layoutCells[host] ?? 0));
    const total = (counts: readonly number[]): number =>
      counts.reduce((sum, count) => sum + count, 0);
    const shrunk = total(cells) < total(this.#layoutCells) / 1.5;
    if (this.#layout !== undefined && !grown && !shrunk) return this.#layout;
    // Some spare, so that a few coroutines more do not move everything.
    this.#layoutCells = cells.map((count) => Math.ceil(count * 1.06) + 2);
    this.#layout = layOut(width, height, this.#ratio, this.#layoutCells);
    this.#events.placed(
      this.#layout.boxes.map((box) => ({
        x: box.x / this.#ratio,
        y: box.y / this.#ratio,
        width: box.width / this.#ratio,
      })),
    );
    return this.#layout;
  }

  #chooseColors(waits: readonly string[]): void {
    if (this.#colors.length === HEATS * waits.length) return;
    const { words, empty } = this.#palette;
    this.#colors = new Uint32Array(HEATS * waits.length);
    for (const [index, wait] of waits.entries()) {
      const cold = index === 0 ? empty : words[kindOf(wait)]!;
      for (let heat = 0; heat < HEATS; heat++) {
        this.#colors[HEATS * index + heat] = blend(cold, words[RAN]!, heat / (HEATS - 1));
      }
    }
  }

  #drawHost(host: number, layout: Layout, up: boolean, cells: Uint8Array): void {
    const box = layout.boxes[host]!;
    const context = this.#context;
    context.fillStyle = this.#palette.box;
    context.globalAlpha = up ? 1 : 0.5;
    context.beginPath();
    context.roundRect(box.x, box.y, box.width, box.height, 6 * this.#ratio);
    context.fill();
    context.globalAlpha = 1;
    const image = this.#images[host]!;
    if (image.width !== box.columns || image.height !== box.rows) {
      image.width = box.columns;
      image.height = box.rows;
    }
    const pixels = new ImageData(box.columns, box.rows);
    this.#color(host, cells, new Uint32Array(pixels.data.buffer));
    image.getContext("2d")!.putImageData(pixels, 0, 0);
    const { cellWidth, cellHeight, gap } = layout;
    const [width, height] = [box.columns * cellWidth, box.rows * cellHeight];
    context.imageSmoothingEnabled = false;
    context.drawImage(image, box.cellsX, box.cellsY, width, height);
    if (gap === 0) return;
    context.fillStyle = this.#palette.box;
    for (let column = 1; column <= box.columns; column++) {
      context.fillRect(box.cellsX + column * cellWidth - gap, box.cellsY, gap, height);
    }
    for (let row = 1; row <= box.rows; row++) {
      context.fillRect(box.cellsX, box.cellsY + row * cellHeight - gap, width, gap);
    }
  }

  #color(host: number, cells: Uint8Array, words: Uint32Array): void {
    if (this.#heats[host]!.length < cells.length) {
      this.#heats[host] = new Uint8Array(2 * cells.length);
    }
    const heats = this.#heats[host]!;
    const colors = this.#colors;
    const hottest = CALM.matches ? 0 : HEATS - 1;
    for (let index = 0; index < cells.length; index++) {
      const cell = cells[index]!;
      const heat = (cell & CELL_RAN) !== 0 ? hottest : Math.max(0, heats[index]! - 1);
      heats[index] = heat;
      words[index] = colors[HEATS * (cell & CELL_WAIT) + heat]!;
    }
  }

  #frame(layout: Layout, { host, cell }: Place, color: string, outset: number): void {
    const box = layout.boxes[host];
    if (box === undefined || cell < 0 || cell >= box.columns * box.rows) return;
    const { cellWidth, cellHeight, gap } = layout;
    const out = outset * this.#ratio;
    const context = this.#context;
    context.strokeStyle = color;
    context.lineWidth = 2 * this.#ratio;
    context.strokeRect(
      box.cellsX + (cell % box.columns) * cellWidth - out,
      box.cellsY + Math.floor(cell / box.columns) * cellHeight - out,
      cellWidth - gap + 2 * out,
      cellHeight - gap + 2 * out,
    );
  }

  #onPointer(event: PointerEvent): void {
    const layout = this.#layout;
    if (layout === undefined || event.button !== 0) return;
    const found = hit(layout, event.offsetX * this.#ratio, event.offsetY * this.#ratio);
    if (found === undefined) return;
    if (found.cell < 0) {
      this.#events.host(found.host);
      return;
    }
    this.#cursor = found;
    this.#events.cell(found);
  }

  #onKey(event: KeyboardEvent): void {
    const { host, cell } = this.#cursor ?? { host: 0, cell: 0 };
    const box = this.#layout?.boxes[host];
    if (box === undefined) return;
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -box.columns,
      ArrowDown: box.columns,
    };
    const step = steps[event.key];
    if (step !== undefined) this.#step(host, cell, step);
    else if (event.key === "PageDown") this.#moveTo({ host: (host + 1) % HOSTS.length, cell: 0 });
    else if (event.key === "PageUp") {
      this.#moveTo({ host: (host + HOSTS.length - 1) % HOSTS.length, cell: 0 });
    } else if (event.key === "Home") this.#moveTo({ host, cell: 0 });
    else if (event.key === "Enter" || event.key === " ") this.#events.cell({ host, cell });
    else return;
    event.preventDefault();
  }

  /** Past the ends of a host to the next one. */
  #step(host: number, cell: number, step: number): void {
    const next = cell + step;
    const last = this.#layoutCells[host]! - 1;
    if (next >= 0 && next <= last) this.#moveTo({ host, cell: next });
    else if (next < 0 && host > 0) this.#moveTo({ host: host - 1, cell: 0 });
    else if (next > last && host < HOSTS.length - 1) this.#moveTo({ host: host + 1, cell: 0 });
  }

  #moveTo(place: Place): void {
    this.#cursor = place;
    this.#events.moved(place);
  }
}
