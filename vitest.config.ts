import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const sources = fileURLToPath(new URL("ts/", import.meta.url));

// biome-ignore lint/style/noDefaultExport: what vitest loads.
export default defineConfig({
  resolve: {
    // What package.json says of `imports`, for sources that are not compiled.
    alias: [{ find: /^#platform\/(.*)$/, replacement: `${sources}$1.ts` }],
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["dist/**", "node_modules/**"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 180_000,
    hookTimeout: 300_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
