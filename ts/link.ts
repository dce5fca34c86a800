/**
 * Building and linking guests. Needs the development packages `binaryen` and, for C and C++,
 * `@yowasp/clang` or a wasi-sdk.
 *
 * @module
 */

export { type BuildOptions, build } from "./link/build.ts";
export { type Linked, type LinkFigures, type LinkOptions, link } from "./link/link.ts";
export type {
  EntryStack,
  NoStackBound,
  PathFunction,
  StackBound,
} from "./link/stack-bounds.ts";
