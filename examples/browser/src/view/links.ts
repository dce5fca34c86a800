//! The links of the network and what is under way on them.

import { DENSITY_PARTS, LINKS, type Picture } from "../engine/protocol.ts";
import type { Box, Layout } from "./layout.ts";
import type { Palette } from "./palette.ts";

/** A cubic curve from the client's box to the server's. */
interface Curve {
  readonly x: readonly [number, number, number, number];
  readonly y: readonly [number, number, number, number];
}

/** How long a lost message is marked, in frames. */
const LOSS_FRAMES = 24;

export class Links {
  #layout: Layout | undefined;
  #curves: readonly Curve[] = [];
  /** Frames for which losses on a link are still shown. */
  readonly #losses = new Uint8Array(LINKS.length);

  draw(
    context: CanvasRenderingContext2D,
    layout: Layout,
    picture: Picture,
    palette: Palette,
    ratio: number,
  ): void {
    if (this.#layout !== layout) {
      this.#layout = layout;
      this.#curves = LINKS.map(({ client, server }, link) =>
        curve(layout.boxes[client]!, layout.boxes[server]!, link, ratio),
      );
    }
    this.#drawLines(context, picture, palette, ratio);
    if (picture.density === undefined) this.#drawDots(context, picture.messages, palette, ratio);
    else this.#drawDensity(context, picture.density, palette, ratio);
  }

  #drawLines(
    context: CanvasRenderingContext2D,
    picture: Picture,
    palette: Palette,
    ratio: number,
  ): void {
    for (const [link, { x, y }] of this.#curves.entries()) {
      const { client, server } = LINKS[link]!;
      const ends = [picture.hosts[client]!, picture.hosts[server]!];
      const cut = ends.some((host) => host.cut);
      const up = ends.every((host) => host.up);
      context.globalAlpha = up ? 1 : 0.35;
      context.strokeStyle = cut ? palette.cutLine : palette.line;
      context.lineWidth = ratio;
      context.setLineDash(cut || !up ? [4 * ratio, 5 * ratio] : []);
      context.beginPath();
      context.moveTo(x[0], y[0]);
      context.bezierCurveTo(x[1], y[1], x[2], y[2], x[3], y[3]);
      context.stroke();
      context.globalAlpha = 1;
      this.#drawLoss(context, link, picture.lost[link]!, palette, ratio);
    }
    context.setLineDash([]);
  }

  /** A cross in the middle of the link, which fades. */
  #drawLoss(
    context: CanvasRenderingContext2D,
    link: number,
    lost: number,
    palette: Palette,
    ratio: number,
  ): void {
    if (lost > 0) this.#losses[link] = LOSS_FRAMES;
    const left = this.#losses[link]!;
    if (left === 0) return;
    this.#losses[link] = left - 1;
    const [x, y] = at(this.#curves[link]!, 0.5);
    const size = 4 * ratio;
    context.globalAlpha = left / LOSS_FRAMES;
    context.strokeStyle = palette.cutLine;
    context.lineWidth = 1.75 * ratio;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x - size, y - size);
    context.lineTo(x + size, y + size);
    context.moveTo(x - size, y + size);
    context.lineTo(x + size, y - size);
    context.stroke();
    context.globalAlpha = 1;
  }

  #drawDots(
    context: CanvasRenderingContext2D,
    messages: Float32Array,
    palette: Palette,
    ratio: number,
  ): void {
    const size = Math.round(3 * ratio);
    for (const direction of [0, 1]) {
      context.fillStyle = direction === 0 ? palette.ask : palette.answer;
      for (let index = 0; index < messages.length; index += 2) {
        const way = messages[index]!;
        if ((way & 1) !== direction) continue;
        const [x, y] = place(this.#curves[way >> 1]!, way, messages[index + 1]!, ratio);
        context.fillRect(Math.round(x - size / 2), Math.round(y - size / 2), size, size);
      }
    }
  }

  /** As wide as there are many. */
  #drawDensity(
    context: CanvasRenderingContext2D,
    density: Uint16Array,
    palette: Palette,
    ratio: number,
  ): void {
    let most = 1;
    for (const count of density) most = Math.max(most, count);
    for (let way = 0; way < 2 * LINKS.length; way++) {
      context.fillStyle = (way & 1) === 0 ? palette.ask : palette.answer;
      for (let part = 0; part < DENSITY_PARTS; part++) {
        const count = density[way * DENSITY_PARTS + part]!;
        if (count === 0) continue;
        const [x, y] = place(this.#curves[way >> 1]!, way, (part + 0.5) / DENSITY_PARTS, ratio);
        const size = (1 + 7 * Math.sqrt(count / most)) * ratio;
        context.fillRect(x - size / 2, y - size / 2, size, size);
      }
    }
  }
}

/** The ends of a box's links are spread over its side. */
function curve(client: Box, server: Box, link: number, ratio: number): Curve {
  const right = server.x > client.x;
  const from = right ? client.x + client.width : client.x;
  const to = right ? server.x : server.x + server.width;
  const y0 =
    client.y +
    client.height / 2 +
    (link % 2 === 0 ? -1 : 1) * Math.min(8 * ratio, client.height / 6);
  const spread = Math.min(16 * ratio, server.height / 5);
  const y3 = server.y + server.height / 2 + ((LINKS[link]!.client % 3) - 1) * spread;
  const middle = (from + to) / 2;
  return { x: [from, middle, middle, to], y: [y0, y0, y3, y3] };
}

/** Both directions run beside each other. */
function place(
  curve: Curve,
  way: number,
  progress: number,
  ratio: number,
): readonly [number, number] {
  const fromServer = (way & 1) === 1;
  const [x, y] = at(curve, fromServer ? 1 - progress : progress);
  return [x, y + (fromServer ? 3 : -3) * ratio];
}

function at({ x, y }: Curve, t: number): readonly [number, number] {
  const s = 1 - t;
  const [a, b, c, d] = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
  return [a * x[0] + b * x[1] + c * x[2] + d * x[3], a * y[0] + b * y[1] + c * y[2] + d * y[3]];
}
