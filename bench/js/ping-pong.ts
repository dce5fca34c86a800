import { type Params, param, type Sample } from "../scenario.ts";
import { SlotChannel } from "./channel.ts";

/** Two async functions over two channels made of promises. */
export async function pingPongInJs(params: Params): Promise<Sample> {
  const rounds = param(params, "rounds");
  const ping = new SlotChannel<number>();
  const pong = new SlotChannel<number>();

  async function pinger(): Promise<number> {
    let value = 0;
    for (let i = 0; i < rounds; i++) {
      await ping.send(value + 1);
      value = await pong.receive();
    }
    return value;
  }
  async function ponger(): Promise<void> {
    for (let i = 0; i < rounds; i++) await pong.send((await ping.receive()) + 1);
  }

  const start = process.hrtime.bigint();
  const [last] = await Promise.all([pinger(), ponger()]);
  const ns = Number(process.hrtime.bigint() - start);
  return { metrics: { "ns/round": ns / rounds }, checksum: String(last) };
}
