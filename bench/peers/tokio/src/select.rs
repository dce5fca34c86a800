//! select: one task waits for whichever of eight channels has an item.

use crate::channels::produce;
use crate::measure::{measure, Work};
use crate::{Failure, Flags};
use std::time::Instant;
use tokio::sync::mpsc;

/// Fixed, because `select!` spells its channels out.
const CHANNELS: usize = 8;

type Ends = [mpsc::Receiver<u64>; CHANNELS];

async fn sum_of(ends: Ends, items: u64) -> u64 {
    let [mut c0, mut c1, mut c2, mut c3, mut c4, mut c5, mut c6, mut c7] = ends;
    let mut sum = 0;
    for _ in 0..items {
        sum += tokio::select! {
            Some(item) = c0.recv() => item,
            Some(item) = c1.recv() => item,
            Some(item) = c2.recv() => item,
            Some(item) = c3.recv() => item,
            Some(item) = c4.recv() => item,
            Some(item) = c5.recv() => item,
            Some(item) = c6.recv() => item,
            Some(item) = c7.recv() => item,
            else => panic!("the channels closed early"),
        };
    }
    sum
}

async fn select(items: u64, buffer: usize) -> Work {
    let (channels, ends): (Vec<_>, Vec<_>) = (0..CHANNELS).map(|_| mpsc::channel(buffer)).unzip();
    let ends = Ends::try_from(ends).expect("one end per channel");
    let start = Instant::now();
    let consumer = tokio::spawn(sum_of(ends, items));
    for (id, channel) in (0..).zip(channels) {
        tokio::spawn(produce(channel, id, CHANNELS as u64, items));
    }
    let sum = consumer.await?;
    Ok((start.elapsed(), sum))
}

pub fn run(flags: &Flags) -> Result<(), Failure> {
    let (items, buffer) = (flags.get("items"), flags.get("buffer") as usize);
    measure("ns/item", items, || select(items, buffer))
}
