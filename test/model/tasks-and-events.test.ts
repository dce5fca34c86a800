import { everyOrder } from "./check.ts";
import { tasksAndEvents } from "./primitives/index.ts";

for (const primitive of tasksAndEvents) everyOrder(primitive);
