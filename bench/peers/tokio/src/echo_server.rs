//! Prints {"port":N}, echoes until stdin ends and every connection is gone, then prints the
//! processor time used since the port was printed.

use crate::{report, Failure};
use std::io::Read;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

const READ_BYTES: usize = 4096;

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let bytes = stream.read(&mut buffer).await?;
        if bytes == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..bytes]).await?;
    }
}

/// Resolves when stdin ends. The thread sleeps in read() and costs nothing until then.
fn stdin_end() -> oneshot::Receiver<()> {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut ignored);
        let _ = ended.send(());
    });
    end
}

async fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let (user_before, total_before) = report::cpu_microseconds()?;
    println!(r#"{{"port":{}}}"#, listener.local_addr()?.port());

    // Every connection holds a sender: the channel closes when the last one is gone.
    let (open, mut all_gone) = mpsc::channel::<()>(1);
    let mut end = stdin_end();
    loop {
        tokio::select! {
            _ = &mut end => break,
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                let open = open.clone();
                tokio::spawn(async move {
                    let _open = open;
                    echo(stream).await
                });
            }
        }
    }
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

pub fn run() -> Result<(), Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(serve())
}
