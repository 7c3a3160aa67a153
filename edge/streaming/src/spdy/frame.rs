//! Frames to bytes and back. No input makes this panic or allocate more than its limits.

use super::SpdyError;
use super::headers::{HeaderReader, HeaderWriter, Headers};
use bytes::{Buf, BufMut, Bytes, BytesMut};

const VERSION: u16 = 3;
const CONTROL: u16 = 0x8000;
const FLAG_FIN: u8 = 1;
const STREAM_MASK: u32 = 0x7fff_ffff;
const HEADER: usize = 8;
/// Longest control frame. Data frames are handed on in parts, so they need no limit.
const MAX_CONTROL: usize = 64 * 1024;

/// One frame. Data arrives in as many frames as suits the reader; `fin` is on the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Opens a stream.
    SynStream {
        /// Its number; odd ones are the client's.
        stream: u32,
        /// What it is for.
        headers: Headers,
        /// The sender will send nothing more in it.
        fin: bool,
    },
    /// Accepts a stream.
    SynReply {
        /// Its number.
        stream: u32,
        /// Usually none.
        headers: Headers,
        /// The sender will send nothing more in it.
        fin: bool,
    },
    /// Tears a stream down.
    RstStream {
        /// Its number.
        stream: u32,
        /// Why.
        status: u32,
    },
    /// Is answered with the same number.
    Ping(u32),
    /// The sender takes no new streams.
    GoAway {
        /// The last stream it looked at.
        last: u32,
        /// Why; 0 is all well.
        status: u32,
    },
    /// More headers for a stream.
    Headers {
        /// Its number.
        stream: u32,
        /// The headers.
        headers: Headers,
        /// The sender will send nothing more in it.
        fin: bool,
    },
    /// Bytes of a stream.
    Data {
        /// Its number.
        stream: u32,
        /// The bytes.
        payload: Bytes,
        /// The sender will send nothing more in it.
        fin: bool,
    },
    /// SETTINGS, WINDOW_UPDATE and types nobody knows: read over.
    Ignored(u16),
}

/// Reads frames.
#[derive(Debug)]
pub struct Decoder {
    headers: HeaderReader,
    /// A data frame of which a part is still to come.
    data: Option<OpenData>,
}

#[derive(Debug)]
struct OpenData {
    stream: u32,
    left: usize,
    fin: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            headers: HeaderReader::new(),
            data: None,
        }
    }
}

impl Decoder {
    /// Takes the next frame off the input; `None` when more bytes are needed.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, SpdyError> {
        if let Some(open) = self.data.take() {
            return Ok(self.data_part(open, input));
        }
        let Some(mut header) = input.get(..HEADER) else {
            return Ok(None);
        };
        let (first, second, tail) = (header.get_u16(), header.get_u16(), header.get_u32());
        let [flags, ..] = tail.to_be_bytes();
        let length = usize::try_from(tail & 0x00ff_ffff).unwrap_or(usize::MAX);
        if first & CONTROL == 0 {
            input.advance(HEADER);
            let stream = (u32::from(first) << 16) | u32::from(second);
            let open = OpenData {
                stream,
                left: length,
                fin: flags & FLAG_FIN != 0,
            };
            return Ok(self.data_part(open, input));
        }
        if first & !CONTROL != VERSION {
            return Err(SpdyError::Version(first & !CONTROL));
        }
        if length > MAX_CONTROL {
            return Err(SpdyError::TooLong(length));
        }
        if input.len() < HEADER + length {
            return Ok(None);
        }
        input.advance(HEADER);
        let body = input.split_to(length);
        self.control(second, flags & FLAG_FIN != 0, &body).map(Some)
    }

    fn data_part(&mut self, open: OpenData, input: &mut BytesMut) -> Option<Frame> {
        let OpenData { stream, left, fin } = open;
        if left > 0 && input.is_empty() {
            self.data = Some(open);
            return None;
        }
        let payload = input.split_to(left.min(input.len())).freeze();
        let left = left - payload.len();
        if left > 0 {
            self.data = Some(OpenData { stream, left, fin });
        }
        Some(Frame::Data {
            stream,
            payload,
            fin: fin && left == 0,
        })
    }

    fn control(&mut self, kind: u16, fin: bool, mut body: &[u8]) -> Result<Frame, SpdyError> {
        let mut number = |name| body.try_get_u32().map_err(|_| SpdyError::Malformed(name));
        match kind {
            1 => {
                let stream = number("SYN_STREAM")? & STREAM_MASK;
                number("SYN_STREAM")?;
                let block = body.get(2..).ok_or(SpdyError::Malformed("SYN_STREAM"))?;
                Ok(Frame::SynStream {
                    stream,
                    headers: self.headers.read(block)?,
                    fin,
                })
            }
            2 => {
                let stream = number("SYN_REPLY")? & STREAM_MASK;
                Ok(Frame::SynReply {
                    stream,
                    headers: self.headers.read(body)?,
                    fin,
                })
            }
            3 => {
                let stream = number("RST_STREAM")? & STREAM_MASK;
                Ok(Frame::RstStream {
                    stream,
                    status: number("RST_STREAM")?,
                })
            }
            6 => Ok(Frame::Ping(number("PING")?)),
            7 => {
                let last = number("GOAWAY")? & STREAM_MASK;
                Ok(Frame::GoAway {
                    last,
                    status: number("GOAWAY")?,
                })
            }
            8 => {
                let stream = number("HEADERS")? & STREAM_MASK;
                Ok(Frame::Headers {
                    stream,
                    headers: self.headers.read(body)?,
                    fin,
                })
            }
            other => Ok(Frame::Ignored(other)),
        }
    }
}

/// Writes frames.
#[derive(Debug)]
pub struct Encoder(HeaderWriter);

impl Encoder {
    /// A writer for one connection.
    pub fn new() -> Result<Self, SpdyError> {
        HeaderWriter::new().map(Self)
    }

    /// Appends a frame to the output.
    pub fn encode(&mut self, frame: &Frame, out: &mut BytesMut) -> Result<(), SpdyError> {
        match frame {
            Frame::SynStream {
                stream,
                headers,
                fin,
            } => {
                let block = self.0.write(headers)?;
                control(out, 1, *fin, 10 + block.len())?;
                out.put_u32(stream & STREAM_MASK);
                // No associated stream, highest priority, no credential.
                out.put_slice(&[0; 6]);
                out.put_slice(&block);
            }
            Frame::SynReply {
                stream,
                headers,
                fin,
            } => self.with_headers(2, *stream, headers, *fin, out)?,
            Frame::Headers {
                stream,
                headers,
                fin,
            } => self.with_headers(8, *stream, headers, *fin, out)?,
            Frame::RstStream { stream, status } => numbers(out, 3, &[*stream, *status])?,
            Frame::Ping(id) => numbers(out, 6, &[*id])?,
            Frame::GoAway { last, status } => numbers(out, 7, &[*last, *status])?,
            Frame::Data {
                stream,
                payload,
                fin,
            } => {
                let length = length_of(payload.len())?;
                out.put_u32(stream & STREAM_MASK);
                out.put_u32(flagged(*fin, length));
                out.put_slice(payload);
            }
            Frame::Ignored(_) => {}
        }
        Ok(())
    }

    fn with_headers(
        &mut self,
        kind: u16,
        stream: u32,
        headers: &Headers,
        fin: bool,
        out: &mut BytesMut,
    ) -> Result<(), SpdyError> {
        let block = self.0.write(headers)?;
        control(out, kind, fin, 4 + block.len())?;
        out.put_u32(stream & STREAM_MASK);
        out.put_slice(&block);
        Ok(())
    }
}

fn control(out: &mut BytesMut, kind: u16, fin: bool, length: usize) -> Result<(), SpdyError> {
    let length = length_of(length)?;
    out.put_u16(CONTROL | VERSION);
    out.put_u16(kind);
    out.put_u32(flagged(fin, length));
    Ok(())
}

fn numbers(out: &mut BytesMut, kind: u16, all: &[u32]) -> Result<(), SpdyError> {
    control(out, kind, false, 4 * all.len())?;
    all.iter().for_each(|&number| out.put_u32(number));
    Ok(())
}

fn length_of(length: usize) -> Result<u32, SpdyError> {
    u32::try_from(length)
        .ok()
        .filter(|&l| l < 1 << 24)
        .ok_or(SpdyError::TooLong(length))
}

fn flagged(fin: bool, length: u32) -> u32 {
    if fin {
        length | (u32::from(FLAG_FIN) << 24)
    } else {
        length
    }
}
