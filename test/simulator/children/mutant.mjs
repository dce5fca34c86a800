// Module loader hook: one module of the runtime with a text in it replaced, as STACKFUL_MUTATION says.

import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

const text = process.env.STACKFUL_MUTATION;
if (isMainThread && text !== undefined) {
  const source = `
    const { file, find, replace } = ${text};
    export async function load(url, context, nextLoad) {
      const loaded = await nextLoad(url, context);
      if (!url.endsWith("/ts/" + file)) return loaded;
      const parts = String(loaded.source).split(find);
      if (parts.length !== 2) throw new Error("ts/" + file + " must hold this once: " + find);
      return { ...loaded, source: parts.join(replace) };
    }`;
  register(`data:text/javascript,${encodeURIComponent(source)}`);
}
