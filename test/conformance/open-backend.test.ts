import { afterEach, describe, expect, test, vi } from "vitest";
import type { BackendName } from "../../ts/host/backend.ts";
import { openBackend } from "../../ts/host/open-backend.ts";

const options = { grants: {}, handlesMax: 1 };

/** Opens and closes; tells what was opened. */
async function opened(choice: "auto" | BackendName) {
  const { backend, reasons } = await openBackend(choice, options);
  await backend[Symbol.asyncDispose]();
  return { name: backend.name, reasons };
}

describe("openBackend", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test("opens the backend that was asked for", async () => {
    vi.stubEnv("STACKFUL_BACKEND", undefined);
    expect(await opened("node")).toEqual({ name: "node", reasons: [] });
  });

  test("auto opens the best backend and says why a better one is not used", async () => {
    vi.stubEnv("STACKFUL_BACKEND", undefined);
    const { name, reasons } = await opened("auto");
    if (name === "uring") {
      expect(reasons).toEqual([]);
    } else {
      expect(reasons).toEqual([{ name: "uring", reason: expect.stringContaining("io_uring") }]);
    }
  });

  test("sim opens a world of its own, whose seed is STACKFUL_SEED", async () => {
    const entropy = async (seed: string | undefined): Promise<Uint8Array> => {
      vi.stubEnv("STACKFUL_BACKEND", undefined);
      vi.stubEnv("STACKFUL_SEED", seed);
      const directories = [{ host: "/made/for/this", guest: "/data" }];
      const { backend } = await openBackend("sim", { grants: { directories }, handlesMax: 1 });
      const bytes = new Uint8Array(16);
      backend.environment.fillRandom(bytes);
      await backend[Symbol.asyncDispose]();
      expect(backend.name).toBe("sim");
      return bytes;
    };
    expect(await entropy("5")).toEqual(await entropy("5"));
    expect(await entropy("6")).not.toEqual(await entropy("5"));
    expect(await entropy(undefined)).not.toEqual(await entropy(undefined));
  });

  test("STACKFUL_BACKEND overrides the choice", async () => {
    vi.stubEnv("STACKFUL_BACKEND", "node");
    expect((await opened("auto")).name).toBe("node");
    expect((await opened("uring")).name).toBe("node");
  });

  test("STACKFUL_BACKEND that is empty or auto leaves the choice alone", async () => {
    for (const value of ["", "auto"]) {
      vi.stubEnv("STACKFUL_BACKEND", value);
      expect((await opened("node")).name).toBe("node");
    }
  });

  test("STACKFUL_BACKEND that names no backend is an error", async () => {
    vi.stubEnv("STACKFUL_BACKEND", "epol");
    await expect(openBackend("auto", options)).rejects.toThrow(
      /STACKFUL_BACKEND=epol.*uring, .*node/,
    );
  });

  test("a failure that another backend would share is not stepped over", async () => {
    vi.stubEnv("STACKFUL_BACKEND", undefined);
    const grants = { directories: [{ host: "/does/not/exist", guest: "/" }] };
    for (const choice of ["auto", "node"] as const) {
      const opening = openBackend(choice, { grants, handlesMax: 1 });
      await expect(opening).rejects.toMatchObject({ code: "SF_IO", errno: "ENOENT" });
    }
  });
});
