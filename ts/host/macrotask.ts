//! The host's event loop, once around: microtasks, timers and I/O callbacks run before `callback`.

const queue: (() => void)[] = [];
let channel: MessageChannel | undefined;

/** setImmediate where there is one; else a MessageChannel, which browsers do not throttle. */
export const nextMacrotask: (callback: () => void) => void =
  typeof setImmediate === "function" ? (callback) => void setImmediate(callback) : postMessage;

function postMessage(callback: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => queue.shift()?.();
  }
  queue.push(callback);
  channel.port2.postMessage(undefined);
}
