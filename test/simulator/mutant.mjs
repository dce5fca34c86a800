// Module loader hook: one module of ts/ with a fault in it, as STACKFUL_FAULT says. For `node --import`,
// after the loader that takes the types out.

import { register } from "node:module";

const fault = process.env.STACKFUL_FAULT;
if (fault) {
  const source = `
    const { file, find, replace } = ${fault};
    export async function load(url, context, nextLoad) {
      const loaded = await nextLoad(url, context);
      if (!url.endsWith("/ts/" + file)) return loaded;
      const parts = String(loaded.source).split(find);
      if (parts.length !== 2) throw new Error("ts/" + file + " must hold this once: " + find);
      return { ...loaded, source: parts.join(replace) };
    }`;
  register(`data:text/javascript,${encodeURIComponent(source)}`);
}
