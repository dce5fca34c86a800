import { backendConformance } from "./backend-conformance.ts";
import { simSetting } from "./sim-setting.ts";

const CLOSED_WORLD =
  "nobody outside the process reaches a simulated world: what nothing in it ends never ends";
const WHOLE_TRANSFERS = "it counts on transfers that are as long as they can be";

const NO_DESCRIPTORS = "a simulated host has neither descriptors nor /proc";

const STREAMS_OF_ITS_OWN = "a simulated host has no streams of the process that simulates it";

const SKIP = {
  "a child writes to the stream of the host's that it inherits": STREAMS_OF_ITS_OWN,
  "what is written to the process is read from its input, and ends": STREAMS_OF_ITS_OWN,
  "a child has no descriptor but its streams, no blocked signal and no ignored one": NO_DESCRIPTORS,
  "children leave no descriptor behind in the host, started or not": NO_DESCRIPTORS,
  "an operation in flight keeps the process alive": CLOSED_WORLD,
  "a RECEIVE_FROM in flight keeps the process alive": CLOSED_WORLD,
};

backendConformance("sim", { setting: () => simSetting({ preset: "ideal" }), skip: SKIP });

backendConformance("sim", {
  how: ": latencies and short transfers",
  setting: () => simSetting({ preset: "lan", network: { shortReads: 0.5, shortWrites: 0.5 } }),
  skip: {
    ...SKIP,
    "WRITEV gathers and READV scatters, in order, empty pieces too": WHOLE_TRANSFERS,
    "WRITEs outstanding on one connection go out in order": WHOLE_TRANSFERS,
    "a ring of one record works": WHOLE_TRANSFERS,
  },
});
