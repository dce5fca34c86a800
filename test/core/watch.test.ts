import { describe } from "vitest";
import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("watch");

describe("a watch", () => {
  law("gives the latest value, and each version once", "watch_latest");
  law("has versions that wrap, and can be closed", "watch_wrap_and_close");
});
