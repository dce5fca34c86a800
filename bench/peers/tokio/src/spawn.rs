//! spawn-tree and task-chain: tasks that spawn tasks and join them. Their futures are boxed, so that
//! the tasks themselves stay small: that is quicker than a task that holds the future.

use crate::measure::{measure, Work};
use crate::{Failure, Flags};
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

type Sum = Pin<Box<dyn Future<Output = u64> + Send>>;

async fn run(root: Sum) -> Work {
    let start = Instant::now();
    let sum = tokio::spawn(root).await?;
    Ok((start.elapsed(), sum))
}

/// The number of leaves below this node.
fn leaves(depth: u64) -> Sum {
    Box::pin(async move {
        if depth == 0 {
            return 1;
        }
        let left = tokio::spawn(leaves(depth - 1));
        let right = tokio::spawn(leaves(depth - 1));
        left.await.expect("no task panics") + right.await.expect("no task panics")
    })
}

pub fn run_tree(flags: &Flags) -> Result<(), Failure> {
    let depth = flags.get("depth");
    measure("ns/task", (2 << depth) - 1, || run(leaves(depth)))
}

/// The sum of this task's number and of all after it.
fn chain(id: u64, tasks: u64) -> Sum {
    Box::pin(async move {
        if id + 1 == tasks {
            return id;
        }
        let next = tokio::spawn(chain(id + 1, tasks));
        id + next.await.expect("no task panics")
    })
}

pub fn run_chain(flags: &Flags) -> Result<(), Failure> {
    let tasks = flags.get("tasks");
    measure("ns/task", tasks, || run(chain(0, tasks)))
}
