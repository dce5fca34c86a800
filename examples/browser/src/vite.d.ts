declare module "*?raw" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: what Vite makes of it.
  export default text;
}
