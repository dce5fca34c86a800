//! switch and spawn. The runtime here has no I/O and no timer driver: that is Tokio at
//! its fastest, as an idle current-thread runtime with I/O polls the system between the ticks.

use crate::{report, Failure, Flags};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};

pub fn runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().build()?)
}

struct Switcher {
    id: u64,
    rounds: u64,
    state: Arc<SwitchState>,
}

#[derive(Default)]
struct SwitchState {
    last: AtomicU64,  // which task ran last; ids start at 1
    turns: AtomicU64, // how often the task changed: proves that the yields did switch
}

impl Switcher {
    async fn spin(&self) -> u64 {
        let mut sum = 0;
        for i in 0..self.rounds {
            if self.state.last.load(Relaxed) != self.id {
                self.state.last.store(self.id, Relaxed);
                self.state
                    .turns
                    .store(self.state.turns.load(Relaxed) + 1, Relaxed);
            }
            sum += i;
            tokio::task::yield_now().await;
        }
        sum
    }

    /// A future has no stack to be deep in; a chain of boxed futures is its nearest equivalent.
    fn descend(&self, depth: u64) -> Pin<Box<dyn Future<Output = u64> + Send + '_>> {
        Box::pin(async move {
            match depth {
                1 => self.spin().await + 1,
                _ => self.descend(depth - 1).await + 1,
            }
        })
    }

    async fn run(self, depth: u64) -> u64 {
        match depth {
            0 => self.spin().await,
            _ => self.descend(depth).await,
        }
    }
}

fn switch_once(depth: u64, rounds: u64) -> Result<(f64, u64, u64), Failure> {
    runtime()?.block_on(async {
        let state = Arc::new(SwitchState::default());
        let start = Instant::now();
        let [a, b] = [1, 2].map(|id| {
            let switcher = Switcher {
                id,
                rounds,
                state: state.clone(),
            };
            tokio::spawn(switcher.run(depth))
        });
        let checksum = a.await? + b.await?;
        let ns = start.elapsed().as_nanos() as f64;
        Ok((ns, checksum, state.turns.load(Relaxed)))
    })
}

pub fn run_switch(flags: &Flags) -> Result<(), Failure> {
    let (depth, rounds) = (flags.get("depth"), flags.get("rounds"));
    switch_once(depth, rounds)?;
    let (ns, checksum, turns) = switch_once(depth, rounds)?;
    // Tokio wakes yielded tasks in reverse order (a b, b a, a b, ...): every second yield runs the
    // same task again, after the same way through the scheduler.
    if turns < rounds {
        return Err(format!("switch: only {turns} of {} yields switched", 2 * rounds).into());
    }
    let notes = format!(r#","notes":{{"turns":{turns}}}"#);
    let metrics = [("ns/switch", ns / (2 * rounds) as f64)];
    report::print_sample_with(&metrics, checksum, &notes);
    Ok(())
}

/// One batch at a time: spawn all of it, then join all of it.
fn spawn_once(tasks: u64, batch: u64) -> Result<(f64, u64), Failure> {
    runtime()?.block_on(async {
        let mut joins = Vec::with_capacity(batch as usize);
        let mut sum = 0;
        let start = Instant::now();
        let mut first = 0;
        while first < tasks {
            let end = tasks.min(first + batch);
            joins.extend((first..end).map(|i| tokio::spawn(async move { i })));
            for join in joins.drain(..) {
                sum += join.await?;
            }
            first = end;
        }
        Ok((start.elapsed().as_nanos() as f64, sum))
    })
}

pub fn run_spawn(flags: &Flags) -> Result<(), Failure> {
    let (tasks, batch) = (flags.get("tasks"), flags.get("batch"));
    if batch == 0 {
        return Err("spawn: --batch is 0".into());
    }
    spawn_once(tasks, batch)?;
    let (ns, sum) = spawn_once(tasks, batch)?;
    report::print_sample(&[("ns/task", ns / tasks as f64)], sum);
    Ok(())
}
