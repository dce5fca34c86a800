/**
 * Building and linking guests. Needs the development packages `binaryen` and, for C and C++,
 * `@yowasp/clang` or a wasi-sdk.
 *
 * @module
 */

export { build, type BuildOptions } from "./link/build.ts";
export { type LinkFigures, link, type LinkOptions, type Linked } from "./link/link.ts";
