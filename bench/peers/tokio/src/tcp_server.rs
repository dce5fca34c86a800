//! Serves until stdin has ended and every connection is gone; the protocol is in bench/server-run.ts.

use crate::{report, Failure, Flags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

const ECHO_BYTES: usize = 4096;
const STREAM_BYTES: usize = 64 * 1024;

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; ECHO_BYTES];
    loop {
        let bytes = stream.read(&mut buffer).await?;
        if bytes == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..bytes]).await?;
    }
}

/// Counts what comes until the end, and answers with the count.
async fn sink(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; STREAM_BYTES];
    let mut total = 0u64;
    loop {
        let bytes = stream.read(&mut buffer).await?;
        if bytes == 0 {
            return stream.write_all(&total.to_le_bytes()).await;
        }
        total += bytes as u64;
    }
}

/// Is asked for a number of chunks, and sends them.
async fn source(mut stream: TcpStream) -> std::io::Result<()> {
    let (id, chunks) = (stream.read_u32_le().await?, stream.read_u32_le().await?);
    let pattern: Vec<u8> = (0..256 + STREAM_BYTES).map(|i| (i * 7 + 3) as u8).collect();
    for chunk in 0..chunks {
        let start = ((id * 131 + chunk * 31) & 255) as usize;
        stream
            .write_all(&pattern[start..start + STREAM_BYTES])
            .await?;
    }
    Ok(())
}

/// What a server does with each connection; bench/tcp.ts has the same list.
async fn serve_connection(service: u64, stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    match service {
        0 => echo(stream).await,
        1 => sink(stream).await,
        _ => source(stream).await,
    }
}

type CpuMicroseconds = (i64, i64);

/// Resolves when stdin ends, to the processor time at its last line, which says that the server is warm. The
/// thread sleeps in read() and costs nothing until then.
fn stdin_end(start: CpuMicroseconds) -> oneshot::Receiver<CpuMicroseconds> {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut before = start;
        for _ in std::io::stdin().lines().map_while(Result::ok) {
            before = report::cpu_microseconds().unwrap_or(before);
            println!(r#"{{"warm":true}}"#);
        }
        let _ = ended.send(before);
    });
    end
}

async fn serve(service: u64) -> Result<(), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let start = report::cpu_microseconds()?;
    println!(r#"{{"port":{}}}"#, listener.local_addr()?.port());

    // Every connection holds a sender: the channel closes when the last one is gone.
    let (open, mut all_gone) = mpsc::channel::<()>(1);
    let mut end = stdin_end(start);
    let (user_before, total_before) = loop {
        tokio::select! {
            before = &mut end => break before?,
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                let open = open.clone();
                tokio::spawn(async move {
                    let _open = open;
                    serve_connection(service, stream).await
                });
            }
        }
    };
    drop(listener);
    drop(open);
    all_gone.recv().await;

    let (user, total) = report::cpu_microseconds()?;
    println!(
        r#"{{"cpuMicroseconds":{},"userMicroseconds":{},"version":"{}"}}"#,
        total - total_before,
        user - user_before,
        report::version()
    );
    Ok(())
}

pub fn run(flags: &Flags) -> Result<(), Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(serve(flags.get("service")))
}
