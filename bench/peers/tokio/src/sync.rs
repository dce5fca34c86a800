//! mutex, rwlock and condition.

use crate::measure::{measure, Work};
use crate::{Failure, Flags};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Mutex, MutexGuard, Notify, RwLock, RwLockReadGuard};
use tokio::task::yield_now;

/// A free lock is taken without an await. With one it counts against the task's budget, and the task
/// whose budget is used up yields with the lock in hand, so that the others queue for it.
async fn lock(mutex: &Mutex<u64>) -> MutexGuard<'_, u64> {
    match mutex.try_lock() {
        Ok(guard) => guard,
        Err(_) => mutex.lock().await,
    }
}

async fn mutex(tasks: u64, locks: u64, yield_every: u64) -> Work {
    let counter = Arc::new(Mutex::new(0));
    let start = Instant::now();
    let mut joins = Vec::with_capacity(tasks as usize);
    for _ in 0..tasks {
        let counter = counter.clone();
        joins.push(tokio::spawn(async move {
            for i in 0..locks {
                let mut counter = lock(&counter).await;
                *counter += 1;
                if yield_every > 0 && i % yield_every == 0 {
                    yield_now().await;
                }
            }
        }));
    }
    for join in joins {
        join.await?;
    }
    let elapsed = start.elapsed();
    let counter = *lock(&counter).await;
    Ok((elapsed, counter))
}

pub fn run_mutex(flags: &Flags) -> Result<(), Failure> {
    let (tasks, locks) = (flags.get("tasks"), flags.get("locks"));
    let yield_every = flags.get("yield-every");
    measure("ns/lock", tasks * locks, || {
        mutex(tasks, locks, yield_every)
    })
}

async fn read_lock(value: &RwLock<u64>) -> RwLockReadGuard<'_, u64> {
    match value.try_read() {
        Ok(guard) => guard,
        Err(_) => value.read().await,
    }
}

/// How many reads found a value that was not older than the one before.
async fn read(value: Arc<RwLock<u64>>, reads: u64, yield_every: u64) -> u64 {
    let (mut last, mut good) = (0, 0);
    for i in 0..reads {
        let value = read_lock(&value).await;
        if *value >= last {
            last = *value;
            good += 1;
        }
        if yield_every > 0 && i % yield_every == 0 {
            yield_now().await;
        }
    }
    good
}

async fn write(value: Arc<RwLock<u64>>, writes: u64) {
    for _ in 0..writes {
        let mut value = value.write().await;
        *value += 1;
        yield_now().await;
    }
}

async fn rwlock(readers: u64, reads: u64, writes: u64, yield_every: u64) -> Work {
    let value = Arc::new(RwLock::new(0));
    let start = Instant::now();
    let readers: Vec<_> = (0..readers)
        .map(|_| tokio::spawn(read(value.clone(), reads, yield_every)))
        .collect();
    let writer = tokio::spawn(write(value.clone(), writes));
    let mut good = 0;
    for reader in readers {
        good += reader.await?;
    }
    writer.await?;
    let elapsed = start.elapsed();
    let value = *read_lock(&value).await;
    Ok((elapsed, value + good))
}

pub fn run_rwlock(flags: &Flags) -> Result<(), Failure> {
    let (readers, reads) = (flags.get("readers"), flags.get("reads"));
    let (writes, yield_every) = (flags.get("writes"), flags.get("yield-every"));
    measure("ns/op", readers * reads + writes, || {
        rwlock(readers, reads, writes, yield_every)
    })
}

/// Tokio has no condition variable. The lock is the standard library's, as no task keeps it across
/// an await; each task waits at a Notify of its own, so that none wakes itself.
#[derive(Default)]
struct Turns {
    turn: std::sync::Mutex<u64>,
    changed: [Notify; 2],
}

impl Turns {
    fn try_take(&self, id: usize) -> bool {
        let mut turn = self.turn.lock().expect("no task panics");
        let mine = *turn % 2 == id as u64;
        *turn += u64::from(mine);
        mine
    }

    async fn take(&self, id: usize) {
        while !self.try_take(id) {
            self.changed[id].notified().await;
        }
        self.changed[1 - id].notify_one();
    }
}

async fn condition(rounds: u64) -> Work {
    let turns = Arc::new(Turns::default());
    let start = Instant::now();
    let players = [0, 1].map(|id| {
        let turns = turns.clone();
        tokio::spawn(async move {
            for _ in 0..rounds {
                turns.take(id).await;
            }
        })
    });
    for player in players {
        player.await?;
    }
    let elapsed = start.elapsed();
    let turn = *turns.turn.lock().expect("no task panics");
    Ok((elapsed, turn))
}

pub fn run_condition(flags: &Flags) -> Result<(), Failure> {
    let rounds = flags.get("rounds");
    measure("ns/round", rounds, || condition(rounds))
}
