//! Resident bytes per parked task.

use crate::{report, tasks, Failure, Flags};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use tokio::sync::oneshot;

pub fn run(flags: &Flags) -> Result<(), Failure> {
    let tasks = flags.get("tasks");
    tasks::runtime()?.block_on(async {
        let before = report::resident_bytes()?;

        let parked = Arc::new(AtomicU64::new(0));
        let mut release = Vec::with_capacity(tasks as usize);
        let mut joins = Vec::with_capacity(tasks as usize);
        for _ in 0..tasks {
            let (wake, woken) = oneshot::channel::<u64>();
            let parked = parked.clone();
            release.push(wake);
            joins.push(tokio::spawn(async move {
                parked.fetch_add(1, Relaxed);
                woken.await.expect("every task is released")
            }));
        }
        while parked.load(Relaxed) < tasks {
            tokio::task::yield_now().await;
        }
        let after = report::resident_bytes()?;

        for (i, wake) in release.into_iter().enumerate() {
            wake.send(i as u64).expect("every task is parked");
        }
        let mut sum = 0;
        for join in joins {
            sum += join.await?;
        }
        let grown = after as f64 - before as f64;
        report::print_sample(&[("bytes/task", grown / tasks as f64)], sum);
        Ok(())
    })
}
