//! Whether the system is asked for little motion: then nothing flashes and nothing flies.

export const CALM: MediaQueryList = matchMedia("(prefers-reduced-motion: reduce)");
