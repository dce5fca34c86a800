import { everyOrder } from "./check.ts";
import { locksAndChannels } from "./primitives/index.ts";

for (const primitive of locksAndChannels) everyOrder(primitive);
