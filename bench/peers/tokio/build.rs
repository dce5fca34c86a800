//! Hands the compiler's version to the program, which prints it with every result.

use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    let version = output.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_string());
    println!(
        "cargo:rustc-env=RUSTC_VERSION={}",
        version.unwrap_or_else(|_| "rustc unknown".into())
    );
    println!("cargo:rerun-if-changed=build.rs");
}
