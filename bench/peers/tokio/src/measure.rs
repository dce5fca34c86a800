//! Doing the work of a scenario, and what that took.

use crate::{report, tasks, Failure};
use std::future::Future;
use std::time::{Duration, Instant};

/// How long the work took, and its checksum.
pub type Work = Result<(Duration, u64), Failure>;

/// Prints what one of the operations cost. The work is done once before, as a warm-up.
pub fn measure<F>(
    metric: &'static str,
    operations: u64,
    once: impl Fn() -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Work>,
{
    tasks::runtime()?.block_on(once())?;
    let (elapsed, checksum) = tasks::runtime()?.block_on(once())?;
    let ns = elapsed.as_nanos() as f64 / operations as f64;
    report::print_sample(&[(metric, ns)], checksum);
    Ok(())
}

/// The clock and this process's processor time, since it was made.
pub struct Stopwatch {
    start: Instant,
    cpu_before: i64,
}

impl Stopwatch {
    pub fn start() -> Result<Stopwatch, Failure> {
        let (_, cpu_before) = report::cpu_microseconds()?;
        let start = Instant::now();
        Ok(Stopwatch { start, cpu_before })
    }

    /// (on the clock, of the processor), in microseconds.
    pub fn stop(self) -> Result<(f64, f64), Failure> {
        let wall = self.start.elapsed().as_nanos() as f64 / 1e3;
        let (_, cpu) = report::cpu_microseconds()?;
        Ok((wall, (cpu - self.cpu_before) as f64))
    }
}
