//! Sends one message again and again through lettre's `AsyncSmtpTransport`, its connections pooled.
//!
//!     lettre-pool PORT MAILS CONNECTIONS MESSAGE
//!
//! The message is a file and made already (`send_raw`), so that nothing but the transport is measured.
//! Prints the seconds it took.

use std::{error::Error, sync::Arc, time::Instant};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor, address::Envelope,
    transport::smtp::PoolConfig,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, mails, connections, message] = arguments.as_slice() else {
        return Err("lettre-pool PORT MAILS CONNECTIONS MESSAGE".into());
    };
    let (mails, connections): (u32, u32) = (mails.parse()?, connections.parse()?);
    let message = Arc::new(std::fs::read(message)?);
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(port.parse()?)
        .pool_config(PoolConfig::new().max_size(connections))
        .build();
    let envelope = Envelope::new(
        Some("press@example.com".parse()?),
        vec!["reader@example.com".parse()?],
    )?;

    let begun = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for at in 0..connections {
        let (transport, envelope, message) = (transport.clone(), envelope.clone(), message.clone());
        let share = mails / connections + u32::from(at < mails % connections);
        workers.spawn(async move {
            for _ in 0..share {
                transport.send_raw(&envelope, &message).await?;
            }
            Ok::<_, lettre::transport::smtp::Error>(())
        });
    }
    while let Some(done) = workers.join_next().await {
        done??;
    }
    println!("{}", begun.elapsed().as_secs_f64());
    Ok(())
}
