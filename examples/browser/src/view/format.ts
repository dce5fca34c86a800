//! Numbers as people read them.

/** "12,345", and from ten million on "12.34 M". */
export function count(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
  if (value >= 1e7) return `${(value / 1e6).toFixed(2)} M`;
  return Math.round(value).toLocaleString("en-US");
}

export function bytes(value: number): string {
  if (value >= 2 ** 30) return `${(value / 2 ** 30).toFixed(2)} GiB`;
  if (value >= 2 ** 20) return `${(value / 2 ** 20).toFixed(0)} MiB`;
  if (value >= 2 ** 14) return `${(value / 2 ** 10).toFixed(0)} KiB`;
  return `${Math.round(value).toLocaleString("en-US")} B`;
}

export function ms(value: number): string {
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} s`;
  return value >= 10 ? `${value.toFixed(0)} ms` : `${value.toFixed(1)} ms`;
}

export function ns(value: number): string {
  if (value >= 1e7) return ms(value / 1e6);
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} µs`;
  return `${Math.round(value).toLocaleString("en-US")} ns`;
}

/** Virtual seconds for each real one. */
export function pace(speed: number): string {
  if (speed >= 0.995) return `${speed >= 9.95 ? speed.toFixed(0) : speed.toFixed(1)} ×`;
  return `1/${Number((1 / speed).toPrecision(2))} ×`;
}
