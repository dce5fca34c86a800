//! The links of the network and what is under way on them.

import { DENSITY_PARTS, HOSTS, LINKS, type Picture } from "../engine/protocol.ts";
import { CALM } from "./calm.ts";
import type { Box, Layout } from "./layout.ts";
import type { Palette } from "./palette.ts";

/** A cubic curve from the client's box to the server's. */
interface Curve {
  readonly x: readonly [number, number, number, number];
  readonly y: readonly [number, number, number, number];
}

/** What everything is drawn with. */
interface Pen {
  readonly context: CanvasRenderingContext2D;
  readonly palette: Palette;
  /** Device pixels for each CSS pixel. */
  readonly ratio: number;
}

/** How long a lost message is marked, in frames. */
const LOSS_FRAMES = 24;

/** Of a message, and of the most that one part of a link shows: CSS pixels. */
const DOT_RADIUS = 2.1;
const CROWD_RADIUS = 3.8;

/** How far the two directions are apart. */
const APART = 3;

export class Links {
  #layout: Layout | undefined;
  #curves: readonly Curve[] = [];
  /** Frames for which losses on a link are still shown. */
  readonly #losses = new Uint8Array(LINKS.length);

  draw(pen: Pen, layout: Layout, picture: Picture): void {
    if (this.#layout !== layout) {
      this.#layout = layout;
      this.#curves = LINKS.map(({ client, server }, link) =>
        curve(layout.boxes[client]!, layout.boxes[server]!, link, pen.ratio),
      );
    }
    for (const link of LINKS.keys()) {
      this.#drawLine(pen, link, picture);
      this.#drawLoss(pen, link, picture.lost[link]!);
    }
    if (CALM.matches) return;
    if (picture.density === undefined) this.#drawDots(pen, picture.messages);
    else this.#drawDensity(pen, picture.density);
  }

  #drawLine({ context, palette, ratio }: Pen, link: number, { hosts }: Picture): void {
    const { x, y } = this.#curves[link]!;
    const { client, server } = LINKS[link]!;
    const ends = [hosts[client]!, hosts[server]!];
    const cut = ends.some((host) => host.cut);
    const up = ends.every((host) => host.up);
    context.globalAlpha = up ? 1 : 0.4;
    context.strokeStyle = cut ? palette.cutLine : palette.line;
    context.lineWidth = (cut ? 1.5 : 1) * ratio;
    context.setLineDash(cut || !up ? [4 * ratio, 5 * ratio] : []);
    context.beginPath();
    context.moveTo(x[0], y[0]);
    context.bezierCurveTo(x[1], y[1], x[2], y[2], x[3], y[3]);
    context.stroke();
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  /** A cross in the middle of the link, which fades. */
  #drawLoss({ context, palette, ratio }: Pen, link: number, lost: number): void {
    if (lost > 0) this.#losses[link] = LOSS_FRAMES;
    const left = this.#losses[link]!;
    if (left === 0) return;
    this.#losses[link] = left - 1;
    const [x, y] = at(this.#curves[link]!, 0.5);
    const size = 4.5 * ratio;
    context.globalAlpha = left / LOSS_FRAMES;
    context.strokeStyle = palette.cutLine;
    context.lineWidth = 2 * ratio;
    context.beginPath();
    context.moveTo(x - size, y - size);
    context.lineTo(x + size, y + size);
    context.moveTo(x - size, y + size);
    context.lineTo(x + size, y - size);
    context.stroke();
    context.globalAlpha = 1;
  }

  #drawDots({ context, palette, ratio }: Pen, messages: Float32Array): void {
    const radius = DOT_RADIUS * ratio;
    for (const direction of [0, 1]) {
      context.fillStyle = direction === 0 ? palette.ask : palette.answer;
      context.beginPath();
      for (let index = 0; index < messages.length; index += 2) {
        const way = messages[index]!;
        if ((way & 1) !== direction) continue;
        const [x, y] = place(this.#curves[way >> 1]!, way, messages[index + 1]!, ratio);
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 2 * Math.PI);
      }
      context.fill();
    }
  }

  /** The more there are in a part of a link, the wider it is. */
  #drawDensity({ context, palette, ratio }: Pen, density: Uint16Array): void {
    let most = 1;
    for (const count of density) most = Math.max(most, count);
    for (const direction of [0, 1]) {
      context.fillStyle = direction === 0 ? palette.ask : palette.answer;
      context.beginPath();
      for (let way = direction; way < 2 * LINKS.length; way += 2) {
        for (let part = 0; part < DENSITY_PARTS; part++) {
          const count = density[way * DENSITY_PARTS + part]!;
          if (count === 0) continue;
          const progress = (part + 0.5) / DENSITY_PARTS;
          const [x, y] = place(this.#curves[way >> 1]!, way, progress, ratio);
          const radius = Math.max(0.8, CROWD_RADIUS * Math.sqrt(count / most)) * ratio;
          context.moveTo(x + radius, y);
          context.arc(x, y, radius, 0, 2 * Math.PI);
        }
      }
      context.fill();
    }
  }
}

/** The ends of a box's links are spread over its side. */
function curve(client: Box, server: Box, link: number, ratio: number): Curve {
  const right = server.x > client.x;
  const from = right ? client.x + client.width : client.x;
  const to = right ? server.x : server.x + server.width;
  const apart = Math.min(9 * ratio, client.height / 5);
  const y0 = client.y + client.height / 2 + (link % 2 === 0 ? -apart : apart);
  const spread = Math.min(18 * ratio, server.height / 4);
  const y3 = server.y + server.height / 2 + (rankOf(LINKS[link]!.client) - 1) * spread;
  const middle = (from + to) / 2;
  return { x: [from, middle, middle, to], y: [y0, y0, y3, y3] };
}

/** Of a host among those that run the same, from 0. */
function rankOf(host: number): number {
  return HOSTS.slice(0, host).filter(({ kind }) => kind === HOSTS[host]!.kind).length;
}

/** Both directions run beside each other. */
function place(curve: Curve, way: number, progress: number, ratio: number) {
  const fromServer = (way & 1) === 1;
  const [x, y] = at(curve, fromServer ? 1 - progress : progress);
  return [x, y + (fromServer ? APART : -APART) * ratio] as const;
}

function at({ x, y }: Curve, t: number): readonly [number, number] {
  const s = 1 - t;
  const [a, b, c, d] = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
  return [a * x[0] + b * x[1] + c * x[2] + d * x[3], a * y[0] + b * y[1] + c * y[2] + d * y[3]];
}
