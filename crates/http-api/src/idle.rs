//! A stream that breaks when nothing has moved on it for a while, so that no silent client holds a connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Reads and writes fail with [`io::ErrorKind::TimedOut`] once `limit` has passed since the last byte in either
/// direction: a client that asks and does not take the answers is let go like a silent one.
pub(crate) struct IdleLimited<S> {
    stream: S,
    limit: Duration,
    alarm: Pin<Box<Sleep>>,
}

impl<S> IdleLimited<S> {
    /// `first_limit` holds until the first byte moves.
    pub(crate) fn new(stream: S, first_limit: Duration, limit: Duration) -> Self {
        Self { stream, limit, alarm: Box::pin(sleep(first_limit)) }
    }

    /// The stream without its limit.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// Nothing moved now: pending until the alarm, then the error.
    fn poll_stalled<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.alarm.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn moved(&mut self) {
        self.alarm.as_mut().reset(Instant::now() + self.limit);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for IdleLimited<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            self.moved();
            return Poll::Ready(result);
        }
        self.poll_stalled(cx)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for IdleLimited<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_write(cx, bytes) {
            self.moved();
            return Poll::Ready(result);
        }
        self.poll_stalled(cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Pending => self.poll_stalled(cx),
            done => done,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Pending => self.poll_stalled(cx),
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn a_silent_stream_breaks_and_a_speaking_one_does_not() {
        let (mut far, near) = duplex(16);
        let mut near = IdleLimited::new(near, Duration::from_millis(200), Duration::from_millis(200));
        let mut byte = [0];
        for _ in 0..3 {
            sleep(Duration::from_millis(120)).await;
            far.write_all(b"x").await.unwrap();
            assert_eq!(near.read(&mut byte).await.unwrap(), 1);
        }
        assert_eq!(near.read(&mut byte).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_stream_whose_far_end_takes_nothing_breaks() {
        let (_far, near) = duplex(16);
        let mut near = IdleLimited::new(near, Duration::from_millis(100), Duration::from_millis(100));
        let written = tokio::time::timeout(Duration::from_secs(5), near.write_all(&[0; 17])).await;
        assert_eq!(written.expect("the write ends").unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
