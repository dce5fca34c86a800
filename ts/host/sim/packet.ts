//! Something on a link: it arrives, or is dropped.

import { QueuedEvent } from "./event-queue.ts";
import type { Link } from "./link.ts";

/** Why a packet does not arrive, as far as the link can tell. */
export type LinkDrop = "partition" | "down";

export abstract class Packet extends QueuedEvent {
  readonly link: Link;
  /** When it was given to the link, and when it has left its start. */
  queuedNs = 0;
  sentNs = 0;

  constructor(link: Link) {
    super();
    this.link = link;
  }

  /** It is at the other end now, if it came through. */
  override run(): void {
    const why = this.link.drops(this);
    if (why === undefined) this.arrive();
    else this.dropped(why);
  }

  protected abstract arrive(): void;
  protected abstract dropped(why: LinkDrop): void;
}
