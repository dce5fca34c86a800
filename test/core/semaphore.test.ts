import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { churn, law } = virtualLawsOf("semaphore");

describe("a semaphore", () => {
  law("serves in order, whatever those behind want", "semaphore_serves_in_order");
  law("serves the next when its first is canceled", "semaphore_head_gives_up", [0]);
  law("serves the next when its first times out", "semaphore_head_gives_up", [1]);
  law("keeps its order when one in the middle leaves", "semaphore_middle_gives_up");
  law("holds up to 2 ** 32 - 1 permits", "semaphore_limits");
  law("that cannot be canceled is had in the end", "semaphore_uncancelable");

  // Method: tasks take and give back at random, others cancel them; in the end all permits are there.
  churn("loses and makes no permit under churn", "semaphore_churn");
});
