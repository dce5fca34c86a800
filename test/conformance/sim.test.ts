import { backendConformance } from "./backend-conformance.ts";
import { simSetting } from "./sim-setting.ts";

backendConformance("sim", {
  setting: () => simSetting({ preset: "ideal" }),
  skip: {
    "an operation in flight keeps the process alive":
      "nobody outside the process reaches a simulated world: what nothing in it ends never ends",
  },
});
