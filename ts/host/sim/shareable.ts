//! What several processes can have of the same host: an open file, an end of a pipe or of a connection. Each
//! handle is one holder; it ends for others when the last is closed.

import type { Resource } from "../resources/resource.ts";
import type { SimContext } from "./sim-backend.ts";

export interface Shareable extends Resource {
  /** Another handle of it, for the process of `context`: the caller's, to close or to put into its table. */
  share(context: SimContext): Shareable;
}

export function isShareable(resource: Resource): resource is Shareable {
  return "share" in resource;
}
