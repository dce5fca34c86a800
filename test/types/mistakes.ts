//! Programs that are wrong, and that the compiler refuses: each @ts-expect-error is one.

import { type Channel, Runtime, StackfulError, type StackfulErrorCode, timeout } from "stackful";
import { link } from "stackful/link";

export async function mistakes(runtime: Runtime): Promise<void> {
  // @ts-expect-error a runtime is made by create
  new Runtime();
  // @ts-expect-error an unknown option
  await Runtime.create("guest.wasm", { grant: {} });
  // @ts-expect-error no backend of that name
  await Runtime.create("guest.wasm", { backend: "epol" });
  // @ts-expect-error a limit that there is not
  await Runtime.create("guest.wasm", { limits: { tasks: 5 } });
  // @ts-expect-error a guest passes numbers
  await Runtime.create("guest.wasm", { imports: { env: { log: (text: string) => text } } });

  // @ts-expect-error arguments are numbers and bigints
  runtime.spawn("work", ["1"]);
  // @ts-expect-error stacks are given in bytes, as a number
  runtime.spawn("work", [], { stackBytes: "32 KiB" });
  // @ts-expect-error the result may be a bigint, or nothing
  const sum: number = await runtime.spawn("work");
  // @ts-expect-error no such signal
  runtime.raise("SIGSEGV");

  const numbers = runtime.channel({ item: "i32" });
  // @ts-expect-error an i32 is a number
  await numbers.send(7n);
  // @ts-expect-error a channel that is closed gives undefined
  const received: number = await numbers.receive();
  // @ts-expect-error items of 16 bytes are no numbers
  const wrong: Channel<number> = runtime.channel({ item: 16 });
  // @ts-expect-error no type of item
  runtime.channel({ item: "i8" });

  const won = await runtime.select({ number: numbers.onReceive(), late: timeout(10) });
  // @ts-expect-error no arm of that name
  if (won.key === "text") return;
  // @ts-expect-error which arm won is not known yet
  const value: number = won.value;

  // @ts-expect-error no code of an error
  const code: StackfulErrorCode = "SF_UNKNOWN";
  // @ts-expect-error the code comes first
  const error = new StackfulError("it failed");
  // @ts-expect-error bytes, not a path
  await link("guest.wasm");
  void [sum, received, wrong, value, code, error];
}
