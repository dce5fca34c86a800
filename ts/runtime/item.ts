//! What channels carry: a type of fixed size in guest memory, and its values in TypeScript.

/** How items look in TypeScript; a number is their size in bytes, for Uint8Array items. */
export type ItemType = "i32" | "u32" | "i64" | "f64" | number;

/** The values of an item type: numbers, bigints for "i64", a Uint8Array for a size in bytes. */
export type ItemOf<I extends ItemType> = I extends number
  ? Uint8Array
  : I extends "i64"
    ? bigint
    : number;

export type Item = ItemOf<ItemType>;

/** Where items are: a guest's memory, for instance. */
export interface ItemMemory {
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

/** Reads and writes items of one type. */
export class ItemCodec<T extends Item> {
  readonly type: ItemType;
  readonly bytes: number;

  /** @throws {RangeError} a size that is not a whole number from 1 on. */
  constructor(type: ItemType) {
    if (typeof type === "number" && (!Number.isInteger(type) || type < 1)) {
      throw new RangeError(`item must be a size of at least 1 byte, not ${type}`);
    }
    this.type = type;
    if (typeof type === "number") this.bytes = type;
    else this.bytes = type === "i64" || type === "f64" ? 8 : 4;
  }

  /** @throws {RangeError} bytes of another size. */
  check(value: Item): void {
    if (typeof this.type !== "number") return;
    if (value instanceof Uint8Array && value.length === this.type) return;
    throw new RangeError(`the item must be a Uint8Array of ${this.type} bytes`);
  }

  /** Writes a value that `check` lets pass. */
  write(memory: ItemMemory, address: number, value: Item): void {
    const { view } = memory;
    if (this.type === "i32" || this.type === "u32") view.setInt32(address, Number(value), true);
    else if (this.type === "i64") view.setBigInt64(address, BigInt(value as bigint), true);
    else if (this.type === "f64") view.setFloat64(address, Number(value), true);
    else memory.bytes.set(value as Uint8Array, address);
  }

  read(memory: ItemMemory, address: number): T {
    const { view } = memory;
    const read = (): Item => {
      if (this.type === "i32") return view.getInt32(address, true);
      if (this.type === "u32") return view.getUint32(address, true);
      if (this.type === "i64") return view.getBigInt64(address, true);
      if (this.type === "f64") return view.getFloat64(address, true);
      return memory.bytes.slice(address, address + this.type);
    };
    return read() as T;
  }
}
