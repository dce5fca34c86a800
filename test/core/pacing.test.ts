import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("pacing");

describe("a ticker", () => {
  law("does not drift, and says what it missed", "ticker_does_not_drift");
  law("of no period, of an endless one, and shared", "ticker_edges");
});

describe("a rate limiter", () => {
  law("gives its burst, then its rate", "limiter_burst_and_rate");
  law("serves in order, and a canceled call takes nothing", "limiter_in_order");
  law("knows what is more than its burst, whatever the figures", "limiter_extremes");
});
