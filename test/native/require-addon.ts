import { buildNative } from "../../scripts/build-native.ts";

/** Builds the addon if need be. Tests of it fail where it cannot be built: they say nothing there. */
export function requireAddon(): void {
  const { reason } = buildNative();
  if (reason !== undefined) throw new Error(`these tests need the addon: ${reason}`);
}
