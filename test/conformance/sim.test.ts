import { backendConformance } from "./backend-conformance.ts";
import { simSetting } from "./sim-setting.ts";

const NOBODY_OUTSIDE =
  "nobody outside the process reaches a simulated world: what nothing in it ends never ends";

backendConformance("sim", {
  setting: () => simSetting({ preset: "ideal" }),
  skip: {
    "an operation in flight keeps the process alive": NOBODY_OUTSIDE,
    "a RECEIVE_FROM in flight keeps the process alive": NOBODY_OUTSIDE,
  },
});
