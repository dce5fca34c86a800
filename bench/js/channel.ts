/** A channel with one slot for async functions: one sender and one receiver at a time. */
export class SlotChannel<T> {
  #value: T | undefined;
  #full = false;
  #receiver: (() => void) | undefined;
  #sender: (() => void) | undefined;

  async send(value: T): Promise<void> {
    while (this.#full) {
      await new Promise<void>((resolve) => {
        this.#sender = resolve;
      });
    }
    this.#value = value;
    this.#full = true;
    const wake = this.#receiver;
    this.#receiver = undefined;
    wake?.();
  }

  async receive(): Promise<T> {
    while (!this.#full) {
      await new Promise<void>((resolve) => {
        this.#receiver = resolve;
      });
    }
    const value = this.#value as T;
    this.#full = false;
    const wake = this.#sender;
    this.#sender = undefined;
    wake?.();
    return value;
  }
}
