import { virtualLawsOf } from "../support/virtual-host.ts";

const { law } = virtualLawsOf("channel-select");

for (const capacity of [0, 1, 2]) {
  law(`selects stand in line with plain calls, capacity ${capacity}`, "select_channels", [
    capacity,
  ]);
}
