//! sleep-10k and timers: waiting for the clock.

use crate::measure::Stopwatch;
use crate::{report, Failure, Flags};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;
use tokio_util::time::delay_queue::Expired;
use tokio_util::time::DelayQueue;

fn timer_runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().enable_time().build()?)
}

async fn sleep_all(tasks: u64, length: Duration) -> Result<(f64, f64, u64), Failure> {
    let stopwatch = Stopwatch::start()?;
    let mut joins = Vec::with_capacity(tasks as usize);
    for id in 0..tasks {
        joins.push(tokio::spawn(async move {
            sleep(length).await;
            id
        }));
    }
    let mut sum = 0;
    for join in joins {
        sum += join.await?;
    }
    let (wall, cpu) = stopwatch.stop()?;
    Ok((wall, cpu, sum))
}

pub fn run_sleep(flags: &Flags) -> Result<(), Failure> {
    let (tasks, length) = (flags.get("tasks"), Duration::from_millis(flags.get("ms")));
    timer_runtime()?.block_on(sleep_all(tasks, length))?;
    let (wall, cpu, sum) = timer_runtime()?.block_on(sleep_all(tasks, length))?;
    let metrics = [
        ("ms", wall / 1e3),
        ("us/task", wall / tasks as f64),
        ("us-cpu/task", cpu / tasks as f64),
    ];
    report::print_sample(&metrics, sum);
    Ok(())
}

/// The delays of all timers: the same pseudo-random numbers in every implementation.
fn timer_delays(timers: u64, lead_ms: u64, spread_ms: u64) -> Vec<Duration> {
    let mut random = 1u32;
    let mut delay = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Duration::from_millis(lead_ms + u64::from(random >> 16) % spread_ms)
    };
    (0..timers).map(|_| delay()).collect()
}

struct NextFired<'a>(&'a mut DelayQueue<()>);

impl Future for NextFired<'_> {
    type Output = Option<Expired<()>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_expired(context)
    }
}

struct Settled {
    cpu: f64,
    fired: u64,
    cancelled: u64,
}

/// Arms all timers, cancels every second one and waits for the rest.
async fn timers(delays: &[Duration]) -> Result<Settled, Failure> {
    let stopwatch = Stopwatch::start()?;
    let mut armed = DelayQueue::with_capacity(delays.len());
    let keys: Vec<_> = delays
        .iter()
        .map(|&delay| armed.insert((), delay))
        .collect();

    let mut cancelled = 0;
    for key in keys.iter().skip(1).step_by(2) {
        armed.remove(key);
        cancelled += 1;
    }
    let mut fired = 0;
    while NextFired(&mut armed).await.is_some() {
        fired += 1;
    }
    let (_, cpu) = stopwatch.stop()?;
    Ok(Settled {
        cpu,
        fired,
        cancelled,
    })
}

pub fn run_timers(flags: &Flags) -> Result<(), Failure> {
    let delays = timer_delays(
        flags.get("timers"),
        flags.get("lead-ms"),
        flags.get("spread-ms"),
    );
    timer_runtime()?.block_on(timers(&delays))?;
    let settled = timer_runtime()?.block_on(timers(&delays))?;
    let (fired, cancelled) = (settled.fired, settled.cancelled);
    let metrics = [("ns-cpu/timer", settled.cpu * 1e3 / delays.len() as f64)];
    let notes = format!(r#","notes":{{"fired":{fired},"cancelled":{cancelled}}}"#);
    report::print_sample_with(&metrics, fired + cancelled, &notes);
    Ok(())
}
