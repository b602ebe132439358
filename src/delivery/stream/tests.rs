use std::{future::Future as _, task::Waker, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use super::{line::LONGEST_LINE, *};

async fn pair(deadlines: Deadlines) -> (Wire, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    (
        Wire::new(client.unwrap(), deadlines).unwrap(),
        server.unwrap().0,
    )
}

async fn line_pair(deadlines: Deadlines) -> (Line, TcpStream) {
    let (wire, server) = pair(deadlines).await;
    (wire.into_line().unwrap(), server)
}

#[tokio::test]
async fn replies_come_line_by_line_and_what_is_behind_them_shows() {
    let (wire, mut server) = pair(Deadlines::default()).await;
    server
        .write_all(b"250-one\n250 tw\xc3\xb6\r\n250 three\r\n")
        .await
        .unwrap();
    let mut lines = BufReader::new(wire.clone());
    let mut text = String::new();
    lines.read_line(&mut text).await.unwrap();
    assert_eq!(text, "250-one\r\n");
    // lettre has kept nothing to itself.
    drop(lines);
    let mut line = wire.into_line().unwrap();
    let mut read = Vec::new();
    line.read(&mut read).await.unwrap();
    assert_eq!(read, b"250 tw??\r\n");
    assert!(!line.is_quiet());
    line.read(&mut read).await.unwrap();
    assert_eq!(read, b"250 three\r\n");
    assert!(line.is_quiet());
    drop(server);
    while line.is_quiet() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn half_a_reply_is_none() {
    let (mut line, mut server) = line_pair(Deadlines::default()).await;
    server.write_all(b"250 queued as 12").await.unwrap();
    drop(server);
    let error = line.read(&mut Vec::new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the relay closed the connection in the middle of a reply"
    );
}

#[tokio::test]
async fn each_phase_has_its_deadline() {
    let short = Deadlines {
        mail: Duration::from_millis(20),
        block: Duration::from_millis(20),
        ..Deadlines::default()
    };
    let (mut line, _server) = line_pair(short).await;
    line.enter(Phase::Sender);
    let error = line.read(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "the relay did not answer within 20ms");
    line.enter(Phase::Recipient);
    line.hurry(Duration::from_millis(10));
    let error = line.read(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "the relay did not answer within 10ms");
    // Nobody reads: at some point writing stops, too.
    let message = vec![b'x'; 64 << 20];
    let error = line.hand_over(&message, b".\r\n", b"").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(line.phase(), Phase::Body);
}

/// An alarm that was set for one phase does not end a later one.
#[tokio::test(start_paused = true)]
async fn a_deadline_is_that_of_its_own_phase() {
    let (mut line, _server) = line_pair(Deadlines::default()).await;
    let mut context = Context::from_waker(Waker::noop());
    let deadlines = Deadlines::default();
    line.enter(Phase::Message);
    assert!(line.poll_line(&mut context).is_pending());
    tokio::time::advance(deadlines.data - Duration::from_secs(1)).await;
    line.enter(Phase::Dot);
    assert!(line.poll_line(&mut context).is_pending());
    tokio::time::advance(deadlines.data).await;
    assert!(line.poll_line(&mut context).is_pending());
    line.enter(Phase::Message);
    assert!(line.poll_line(&mut context).is_pending());
    tokio::time::advance(deadlines.data).await;
    assert!(line.poll_line(&mut context).is_ready());
}

/// Otherwise a process that was stopped for long would not know of its last mails what it could
/// read at once.
#[tokio::test(start_paused = true)]
async fn a_deadline_that_was_slept_through_leaves_time_to_look() {
    let (mut line, mut server) = line_pair(Deadlines::default()).await;
    line.enter(Phase::Dot);
    let mut read = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut reading = Box::pin(line.read(&mut read));
        assert!(reading.as_mut().poll(&mut context).is_pending());
        tokio::time::advance(2 * Deadlines::default().dot).await;
        assert!(reading.as_mut().poll(&mut context).is_pending());
        server.write_all(b"250 ok\r\n").await.unwrap();
        reading.await.unwrap();
    }
    assert_eq!(read, b"250 ok\r\n");
    // Where nothing has come, that is the end.
    line.enter(Phase::Dot);
    let mut reading = Box::pin(line.read(&mut read));
    assert!(reading.as_mut().poll(&mut context).is_pending());
    tokio::time::advance(2 * Deadlines::default().dot).await;
    let error = reading.await.unwrap_err();
    assert_eq!(error.to_string(), "the relay did not answer within 600s");
}

/// What follows the dot may still be on its way: what counts is the dot.
#[tokio::test]
async fn the_dot_is_handed_over_with_its_last_byte() {
    for (message, follows, expected) in [
        (64 << 20, 0, Phase::Body),
        (10, 64 << 20, Phase::Dot),
        (10, 10, Phase::Dot),
    ] {
        let (mut line, mut server) = line_pair(Deadlines::default()).await;
        let (message, follows) = (vec![b'x'; message], vec![b'y'; follows]);
        let whole = message.len() + 3 + follows.len();
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut handing = Box::pin(line.hand_over(&message, b".\r\n", &follows));
            let _ = handing.as_mut().poll(&mut context);
        }
        assert_eq!(line.phase(), expected, "{whole}");
        // It comes whole and in order.
        let (mut line, taking) = {
            drop(line);
            let (line, mut other) = line_pair(Deadlines::default()).await;
            std::mem::swap(&mut server, &mut other);
            let taking = tokio::spawn(async move {
                let mut taken = vec![0; whole];
                server.read_exact(&mut taken).await.unwrap();
                taken
            });
            (line, taking)
        };
        line.hand_over(&message, b".\r\n", &follows).await.unwrap();
        assert_eq!(line.phase(), Phase::Dot);
        assert!(taking.await.unwrap() == [message, b".\r\n".to_vec(), follows].concat());
    }
}

#[tokio::test]
async fn a_line_that_does_not_end_is_cut_off() {
    let (mut line, mut server) = line_pair(Deadlines::default()).await;
    server.write_all(&[b'x'; 2 * LONGEST_LINE]).await.unwrap();
    let error = line.read(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}
