//! One kept-alive HTTP/1.1 connection: whole requests out, whole answers in.
//!
//! Invariant: an answer is complete before the next request leaves (closed loop); it reads no more
//! of HTTP than the three servers send: a length, or chunks.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The longest answer that is read.
const MAX_BYTES: usize = 1 << 20;

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, as far as it is looked at for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    body: (usize, usize),
    chunked: bool,
}

impl Connection {
    pub(crate) async fn open(address: std::net::SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 << 10) })
    }

    /// Sends a request and waits for all of its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<Answered> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if let Some(answered) = read(&self.buffer)? {
                return Ok(answered);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The body of the answer that came last.
    pub(crate) fn body(&self, answered: Answered) -> Vec<u8> {
        let (from, to) = answered.body;
        let bytes = &self.buffer[from..to];
        if answered.chunked { dechunked(bytes) } else { bytes.to_vec() }
    }
}

/// The answer in `bytes`, where all of it is there.
fn read(bytes: &[u8]) -> io::Result<Option<Answered>> {
    let Some(head) = find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > MAX_BYTES { Err(foreign()) } else { Ok(None) };
    };
    let text = std::str::from_utf8(&bytes[..head]).map_err(|_| foreign())?;
    let status = text.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(foreign)?;
    let from = head + 4;
    let rest = &bytes[from..];
    match length(text) {
        Some(length) if rest.len() >= length => {
            Ok(Some(Answered { status, body: (from, from + length), chunked: false }))
        }
        // No base64 or JSON text holds these five bytes at its end.
        None if rest.ends_with(b"0\r\n\r\n") => {
            Ok(Some(Answered { status, body: (from, bytes.len()), chunked: true }))
        }
        _ => Ok(None),
    }
}

fn length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}

fn dechunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(line) = find(bytes, b"\r\n") {
        let size = std::str::from_utf8(&bytes[..line]).unwrap_or_default();
        let Ok(size) = usize::from_str_radix(size, 16) else { break };
        let from = line + 2;
        let Some(chunk) = bytes.get(from..from + size) else { break };
        whole.extend_from_slice(chunk);
        bytes = bytes.get(from + size + 2..).unwrap_or_default();
    }
    whole
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "an answer that is not HTTP/1.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]).unwrap(), None, "{cut}");
        }
        let answered = read(whole).unwrap().unwrap();
        assert_eq!((answered.status, answered.body), (200, (38, 43)));
    }

    #[test]
    fn chunks_are_put_together() {
        let whole =
            b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(read(&whole[..whole.len() - 1]).unwrap(), None);
        let answered = read(whole).unwrap().unwrap();
        assert_eq!(answered.status, 400);
        assert_eq!(dechunked(&whole[answered.body.0..]), b"abcde");
    }

    #[test]
    fn what_is_not_http_is_refused() {
        assert!(read(b"SSH-2.0\r\n\r\n").is_err());
        assert!(read(&vec![b'x'; MAX_BYTES + 1]).is_err());
    }
}
