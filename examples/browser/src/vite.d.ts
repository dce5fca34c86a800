declare module "*?raw" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: what Vite makes of it.
  export default text;
}

/** Relative to the page, or absolute. */
declare module "*?url" {
  const url: string;
  // biome-ignore lint/style/noDefaultExport: what Vite makes of it.
  export default url;
}
