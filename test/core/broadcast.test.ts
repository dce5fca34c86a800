import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("broadcast");

const POSITIONS = [
  ["from its start", 0],
  ["across the wrap of its position", -5],
] as const;

describe.each(POSITIONS)("a broadcast %s", (_name, position) => {
  law("tells who lags how much it missed, and is drained after the close", "broadcast_lag", [
    position,
  ]);
  law("reaches every parked consumer, in order", "broadcast_parked_consumers", [position]);
  for (const capacity of [1, 2, 7, 16]) {
    law(`agrees with a log of everything, capacity ${capacity}`, "broadcast_agrees_with_a_log", [
      capacity,
      position === 0 ? 0 : -250,
      capacity,
    ]);
  }
});

law("a broadcast can be selected, and only the arm that wins has read", "broadcast_select");
law("a broadcast needs a buffer and items", "broadcast_refuses");
