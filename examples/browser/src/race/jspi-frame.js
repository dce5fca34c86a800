// Runs in a frame without an origin, which browsers give a process of its own: JSPI can end that process. Plain
// JavaScript, because it becomes the text of the frame.

const SPIN_MS = 150;
const BATCH = 250;
const STRETCHES = 8;
const STRETCH_MS = 120;

const tell = (message) => parent.postMessage(message, "*");

onmessage = async ({ data: { bytes, stacksMax, stacksMaxShared } }) => {
  try {
    // Whoever embeds us looks whether this holds it too.
    tell({ type: "spinning" });
    const startMs = performance.now();
    while (performance.now() - startMs < SPIN_MS);
    tell({ type: "spun" });
    const module = await WebAssembly.compile(bytes);
    tell({ type: "pace", ns: await pingPong(module) });
    onmessage = async ({ data: { isolated } }) => {
      await hold(module, isolated ? stacksMax : stacksMaxShared);
    };
    tell({ type: "ready" });
  } catch (error) {
    tell({ type: "failed", reason: String(error) });
  }
};

async function instance(module, handOver) {
  const env = { hand_over: new WebAssembly.Suspending(handOver) };
  const { exports } = await WebAssembly.instantiate(module, { env });
  return WebAssembly.promising(exports.play);
}

/** Of one hand-over, in ns. */
async function pingPong(module) {
  let waiting;
  const play = await instance(
    module,
    (value) =>
      new Promise((resolve) => {
        waiting?.(value);
        waiting = resolve;
      }),
  );
  let rounds = 10_000;
  let best = Number.POSITIVE_INFINITY;
  for (let stretch = 0; stretch < STRETCHES; ) {
    const startMs = performance.now();
    const first = play(rounds);
    const second = play(rounds);
    await first;
    const ms = performance.now() - startMs;
    waiting(0);
    waiting = undefined;
    await second;
    if (ms < STRETCH_MS) {
      rounds *= 2;
    } else {
      best = Math.min(best, (ms * 1e6) / (2 * rounds));
      stretch++;
    }
  }
  return best;
}

/** Suspends calls until there are `stacksMax`, the engine refuses one, or the process is no more. */
async function hold(module, stacksMax) {
  const resolves = [];
  const play = await instance(module, () => new Promise((resolve) => resolves.push(resolve)));
  const results = [];
  try {
    while (resolves.length < stacksMax) {
      for (let call = 0; call < BATCH; call++) results.push(play(1));
      tell({ type: "held", count: resolves.length });
      await new Promise((resolve) => setTimeout(resolve));
    }
    tell({ type: "done", count: resolves.length });
  } catch (error) {
    tell({ type: "refused", count: resolves.length, reason: String(error) });
  }
}
