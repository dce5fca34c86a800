//! Tasks that are all parked at once, and then all woken by one call.

use crate::{report, tasks, Failure, Flags};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

/// Where the tasks park, and where they leave what they did: nobody joins them, as counting is
/// cheaper than a handle for each.
#[derive(Default)]
struct Gate {
    opened: Notify,
    parked: AtomicU64,
    sum: AtomicU64,
    ended: AtomicU64,
    all_ended: Notify,
}

async fn pass(gate: Arc<Gate>, id: u64, tasks: u64) {
    gate.parked.fetch_add(1, Relaxed);
    gate.opened.notified().await;
    gate.sum.fetch_add(id, Relaxed);
    if gate.ended.fetch_add(1, Relaxed) + 1 == tasks {
        gate.all_ended.notify_one();
    }
}

pub fn run(flags: &Flags) -> Result<(), Failure> {
    let tasks = flags.get("tasks");
    tasks::runtime()?.block_on(async {
        let before = report::resident_bytes()?;

        let gate = Arc::new(Gate::default());
        let start = Instant::now();
        for id in 0..tasks {
            tokio::spawn(pass(gate.clone(), id, tasks));
        }
        while gate.parked.load(Relaxed) < tasks {
            tokio::task::yield_now().await;
        }
        let spawned = start.elapsed();

        let after = report::resident_bytes()?;
        let start = Instant::now();
        gate.opened.notify_waiters();
        gate.all_ended.notified().await;
        let woken = start.elapsed();

        let each = |total: f64| total / tasks as f64;
        let metrics = [
            ("bytes/task", each(after as f64 - before as f64)),
            ("ns/spawn", each(spawned.as_nanos() as f64)),
            ("ns/wake", each(woken.as_nanos() as f64)),
        ];
        report::print_sample(&metrics, gate.sum.load(Relaxed));
        Ok(())
    })
}
