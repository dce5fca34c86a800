//! What the declarations of this package need of the WebAssembly namespace. TypeScript has it in its
//! library for browsers alone; a program for Node that goes without that library has these. Where both
//! are, they merge.

declare global {
  namespace WebAssembly {
    interface Module {}
    interface Instance {}
    interface Table {}
    interface Memory {
      readonly buffer: ArrayBuffer;
      grow(pages: number): number;
    }
  }
}

/** A module that is compiled already. */
export type Module = WebAssembly.Module;
