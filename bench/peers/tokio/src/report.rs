//! What the subcommands print, and the measurements of this process that they need.

use crate::Failure;

/// "rustc 1.x (...), tokio 1.y.z". The lock file is the only place that names Tokio's version.
pub fn version() -> String {
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"));
    let tokio = lock
        .split("name = \"tokio\"\nversion = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("unknown");
    format!("{}, tokio {tokio}", env!("RUSTC_VERSION"))
}

/// A metric's key, which carries the unit, and its figure.
pub type Metric = (&'static str, f64);

pub fn print_sample(metrics: &[Metric], checksum: u64) {
    print_sample_with(metrics, checksum, "");
}

/// `more` is further JSON members, each with a comma before it.
pub fn print_sample_with(metrics: &[Metric], checksum: u64, more: &str) {
    let members: Vec<String> = metrics
        .iter()
        .map(|(name, value)| format!(r#""{name}":{value}"#))
        .collect();
    println!(
        r#"{{"metrics":{{{}}},"checksum":"{checksum}"{more},"version":"{}"}}"#,
        members.join(","),
        version()
    );
}

/// Processor time of this process: (user, user + system), in microseconds.
pub fn cpu_microseconds() -> Result<(i64, i64), Failure> {
    // SAFETY: rusage is plain data, and getrusage fills all of it when it returns 0.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        if libc::getrusage(libc::RUSAGE_SELF, &mut usage) != 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        usage
    };
    let microseconds = |time: libc::timeval| time.tv_sec * 1_000_000 + time.tv_usec;
    let user = microseconds(usage.ru_utime);
    Ok((user, user + microseconds(usage.ru_stime)))
}

/// Resident bytes of this process. smaps_rollup is exact; VmRSS may lag behind by some pages.
pub fn resident_bytes() -> Result<u64, Failure> {
    let sources = [
        ("/proc/self/smaps_rollup", "Rss:"),
        ("/proc/self/status", "VmRSS:"),
    ];
    for (path, key) in sources {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(_) => continue,
        };
        let mut lines = text.lines().map(str::split_whitespace);
        if let Some(mut fields) = lines.find(|fields| fields.clone().next() == Some(key)) {
            let kibibytes: u64 = fields.nth(1).ok_or("no size in /proc/self")?.parse()?;
            return Ok(kibibytes * 1024);
        }
    }
    Err("no resident size in /proc/self".into())
}
