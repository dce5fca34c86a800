/** Bytes of one parameter or result in a task's argument block; see entries.ts. */
export const SLOT_BYTES = 8;
