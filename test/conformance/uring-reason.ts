import { StackfulError } from "../../ts/errors.ts";
import { openUring } from "../../ts/host/native/uring-backend.ts";

/** Why this host cannot open the backend; undefined when it can. Any other failure is a failure. */
export async function whyNoUring(): Promise<string | undefined> {
  try {
    const backend = await openUring({ grants: {}, handlesMax: 1 });
    await backend[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    if (error instanceof StackfulError && ["ENOSYS", "EPERM"].includes(error.errno ?? "")) {
      return error.message;
    }
    throw error;
  }
}
