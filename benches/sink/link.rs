//! A link with a round trip time: whatever goes in at one end comes out at the other half of it later,
//! in the same order, as much as there is.
//!
//! A link as a program sees it: what the kernel does on a long way (slow start, lost packets) is left
//! out, so that only the turns of the protocol count.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    time::{Duration, Instant},
};

/// Carries connections for ever.
pub fn run(listener: &TcpListener, to: SocketAddr, round_trip: Duration) {
    for near in listener.incoming().flatten() {
        std::thread::spawn(move || carry(near, to, round_trip));
    }
}

fn carry(near: TcpStream, to: SocketAddr, round_trip: Duration) -> io::Result<()> {
    // The three steps of a TCP handshake, before the server knows of the client.
    sleep_until(Instant::now() + round_trip * 3 / 2);
    let far = TcpStream::connect(to)?;
    for socket in [&near, &far] {
        socket.set_nodelay(true)?;
    }
    one_way(near.try_clone()?, far.try_clone()?, round_trip / 2);
    one_way(far, near, round_trip / 2);
    Ok(())
}

/// Two threads, so that what comes later does not wait for what is still under way.
fn one_way(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, under_way) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 18];
        while let Ok(bytes @ 1..) = from.read(&mut buffer) {
            let piece = (Instant::now() + delay, buffer[..bytes].to_vec());
            if sender.send(piece).is_err() {
                break;
            }
        }
    });
    std::thread::spawn(move || {
        for (due, piece) in under_way {
            sleep_until(due);
            if to.write_all(&piece).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[expect(
    clippy::disallowed_methods,
    reason = "a delay is all there is to this program"
)]
fn sleep_until(due: Instant) {
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
}
