//! Peer programs on Tokio for the benchmarks in bench/. One binary, one subcommand per scenario.
//!
//! Every subcommand takes the scenario's parameters as `--name=value` and prints one JSON line
//! `{"metrics":{...},"checksum":"...","version":"..."}`. All of them use the current-thread
//! runtime, because the runtime they are compared with has one thread too.

mod channels;
mod measure;
mod million;
mod parked;
mod report;
mod select;
mod spawn;
mod sync;
mod tasks;
mod tcp_server;
mod timers;

use std::collections::HashMap;

pub type Failure = Box<dyn std::error::Error>;

/// The flags of a subcommand. Unknown flags are errors, so that no parameter is ignored.
pub struct Flags(HashMap<String, u64>);

impl Flags {
    fn parse(args: &[String], known: &[&str]) -> Result<Flags, Failure> {
        let mut values = HashMap::new();
        for arg in args {
            let (name, value) = arg
                .strip_prefix("--")
                .and_then(|flag| flag.split_once('='))
                .ok_or_else(|| format!("expected --name=value, got {arg}"))?;
            if !known.contains(&name) {
                return Err(format!("unknown flag --{name}").into());
            }
            values.insert(name.to_string(), value.parse()?);
        }
        match known.iter().find(|name| !values.contains_key(**name)) {
            Some(name) => Err(format!("--{name} is missing").into()),
            None => Ok(Flags(values)),
        }
    }

    pub fn get(&self, name: &str) -> u64 {
        self.0[name]
    }
}

fn run(args: &[String]) -> Result<(), Failure> {
    let subcommand = args.first().ok_or("a subcommand is missing")?;
    let rest = &args[1..];
    match subcommand.as_str() {
        "switch" => tasks::run_switch(&Flags::parse(rest, &["depth", "rounds"])?),
        "ping-pong" => channels::run_ping_pong(&Flags::parse(rest, &["rounds"])?),
        "ping-pong-100" => channels::run_ping_pong_100(&Flags::parse(rest, &["pairs", "rounds"])?),
        "fan-in" => channels::run_fan_in(&Flags::parse(rest, &["producers", "items", "buffer"])?),
        "fan-out" => channels::run_fan_out(&Flags::parse(rest, &["consumers", "items", "buffer"])?),
        "select" => select::run(&Flags::parse(rest, &["items", "buffer"])?),
        "mutex" => sync::run_mutex(&Flags::parse(rest, &["tasks", "locks", "yield-every"])?),
        "rwlock" => {
            let flags = Flags::parse(rest, &["readers", "reads", "writes", "yield-every"])?;
            sync::run_rwlock(&flags)
        }
        "condition" => sync::run_condition(&Flags::parse(rest, &["rounds"])?),
        "spawn" => tasks::run_spawn(&Flags::parse(rest, &["tasks", "batch"])?),
        "spawn-tree" => spawn::run_tree(&Flags::parse(rest, &["depth"])?),
        "task-chain" => spawn::run_chain(&Flags::parse(rest, &["tasks"])?),
        "sleep-10k" => timers::run_sleep(&Flags::parse(rest, &["tasks", "ms"])?),
        "timers" => timers::run_timers(&Flags::parse(rest, &["timers", "lead-ms", "spread-ms"])?),
        "million" => million::run(&Flags::parse(rest, &["tasks"])?),
        "parked" => parked::run(&Flags::parse(rest, &["tasks"])?),
        "tcp-server" => tcp_server::run(&Flags::parse(rest, &["service"])?),
        "version" => {
            println!("{}", report::version());
            Ok(())
        }
        other => Err(format!("unknown subcommand {other}").into()),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Err(failure) = run(&args) {
        eprintln!("tokio peer: {failure}");
        std::process::exit(1);
    }
}
