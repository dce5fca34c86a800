//! ping-pong, ping-pong-100, fan-in and fan-out.

use crate::measure::{measure, Work};
use crate::{Failure, Flags};
use std::time::Instant;
use tokio::sync::mpsc;

async fn ping_pong(pairs: u64, rounds: u64) -> Work {
    let start = Instant::now();
    let mut pingers = Vec::with_capacity(pairs as usize);
    for _ in 0..pairs {
        let (ping_in, mut ping_out) = mpsc::channel::<u64>(1);
        let (pong_in, mut pong_out) = mpsc::channel::<u64>(1);
        pingers.push(tokio::spawn(async move {
            let mut value = 0;
            for _ in 0..rounds {
                ping_in.send(value + 1).await.expect("the ponger is alive");
                value = pong_out.recv().await.expect("the ponger is alive");
            }
            value
        }));
        tokio::spawn(async move {
            for _ in 0..rounds {
                let value = ping_out.recv().await.expect("the pinger is alive");
                pong_in.send(value + 1).await.expect("the pinger is alive");
            }
        });
    }
    let mut sum = 0;
    for pinger in pingers {
        sum += pinger.await?;
    }
    Ok((start.elapsed(), sum))
}

pub fn run_ping_pong(flags: &Flags) -> Result<(), Failure> {
    let rounds = flags.get("rounds");
    measure("ns/round", rounds, || ping_pong(1, rounds))
}

pub fn run_ping_pong_100(flags: &Flags) -> Result<(), Failure> {
    let (pairs, rounds) = (flags.get("pairs"), flags.get("rounds"));
    measure("ns/round", pairs * rounds, || ping_pong(pairs, rounds))
}

/// Producer number `id` of `many` sends every `many`-th item.
pub async fn produce(channel: mpsc::Sender<u64>, id: u64, many: u64, items: u64) {
    for item in (id..items).step_by(many as usize) {
        channel.send(item).await.expect("the consumer is alive");
    }
}

async fn fan_in(producers: u64, items: u64, buffer: usize) -> Work {
    let (channel, mut end) = mpsc::channel(buffer);
    let start = Instant::now();
    let consumer = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(item) = end.recv().await {
            sum += item;
        }
        sum
    });
    for id in 0..producers {
        tokio::spawn(produce(channel.clone(), id, producers, items));
    }
    drop(channel);
    let sum = consumer.await?;
    Ok((start.elapsed(), sum))
}

pub fn run_fan_in(flags: &Flags) -> Result<(), Failure> {
    let (producers, items) = (flags.get("producers"), flags.get("items"));
    let buffer = flags.get("buffer") as usize;
    measure("ns/item", items, || fan_in(producers, items, buffer))
}

/// Tokio has no channel for several receivers. Of the crates that have one, flume is quick.
async fn fan_out(consumers: u64, items: u64, buffer: usize) -> Work {
    let (channel, end) = flume::bounded(buffer);
    let start = Instant::now();
    let consumers: Vec<_> = (0..consumers)
        .map(|_| {
            let end = end.clone();
            tokio::spawn(async move {
                let mut sum = 0;
                while let Ok(item) = end.recv_async().await {
                    sum += item;
                }
                sum
            })
        })
        .collect();
    tokio::spawn(async move {
        for item in 0..items {
            channel
                .send_async(item)
                .await
                .expect("the consumers are alive");
        }
    });
    let mut sum = 0;
    for consumer in consumers {
        sum += consumer.await?;
    }
    Ok((start.elapsed(), sum))
}

pub fn run_fan_out(flags: &Flags) -> Result<(), Failure> {
    let (consumers, items) = (flags.get("consumers"), flags.get("items"));
    let buffer = flags.get("buffer") as usize;
    measure("ns/item", items, || fan_out(consumers, items, buffer))
}
