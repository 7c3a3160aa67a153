//! Header blocks: names and values, compressed with one zlib stream for each direction of a connection.

use super::SpdyError;
use bytes::{Buf, BufMut};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::sync::LazyLock;

/// A stream is opened with a handful of short headers.
const MAX_BLOCK: usize = 64 * 1024;
const MAX_PAIRS: u32 = 256;
/// Output is taken in pieces of this size.
const PIECE: usize = 4096;

/// Words that SPDY/3's dictionary begins with, each with its length in four bytes before it.
const WORDS: &[&str] = &[
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
];

/// The rest of the dictionary.
const TAIL: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417\
    502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 \
    Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service \
    UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, \
    Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,\
    text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,\
    utf-,*,enq=0.";

pub(super) static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut dictionary = Vec::with_capacity(1423);
    for word in WORDS {
        dictionary.put_u32(u32::try_from(word.len()).unwrap_or_default());
        dictionary.put_slice(word.as_bytes());
    }
    dictionary.put_slice(TAIL.as_bytes());
    dictionary
});

/// Names in lower case, with their values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Headers from pairs.
    pub fn new(pairs: &[(&str, &str)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|(name, value)| (name.to_lowercase(), (*value).to_owned()))
                .collect(),
        )
    }

    /// The first value of a header; the name in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .0
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))?;
        value.split('\0').next()
    }

    fn to_block(&self) -> Vec<u8> {
        let mut block = Vec::new();
        let put = |block: &mut Vec<u8>, text: &str| {
            block.put_u32(u32::try_from(text.len()).unwrap_or_default());
            block.put_slice(text.as_bytes());
        };
        block.put_u32(u32::try_from(self.0.len()).unwrap_or_default());
        for (name, value) in &self.0 {
            put(&mut block, name);
            put(&mut block, value);
        }
        block
    }

    fn from_block(mut block: &[u8]) -> Option<Self> {
        let pairs = block.try_get_u32().ok()?;
        if pairs > MAX_PAIRS {
            return None;
        }
        let mut all = Vec::new();
        for _ in 0..pairs {
            let name = take_text(&mut block)?;
            all.push((name.to_ascii_lowercase(), take_text(&mut block)?));
        }
        block.is_empty().then_some(Self(all))
    }
}

fn take_text(block: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(block.try_get_u32().ok()?).ok()?;
    let (text, rest) = block.split_at_checked(length)?;
    *block = rest;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// Compresses the header blocks that go out.
#[derive(Debug)]
pub(super) struct HeaderWriter(Compress);

impl HeaderWriter {
    pub(super) fn new() -> Result<Self, SpdyError> {
        let mut zlib = Compress::new(Compression::default(), true);
        zlib.set_dictionary(&DICTIONARY).map_err(compression)?;
        Ok(Self(zlib))
    }

    pub(super) fn write(&mut self, headers: &Headers) -> Result<Vec<u8>, SpdyError> {
        let block = headers.to_block();
        let mut rest = block.as_slice();
        let mut out = Vec::new();
        let mut piece = [0; PIECE];
        loop {
            let (read, written) = (self.0.total_in(), self.0.total_out());
            self.0
                .compress(rest, &mut piece, FlushCompress::Sync)
                .map_err(compression)?;
            rest = advanced(rest, self.0.total_in() - read);
            let written = take(&piece, self.0.total_out() - written);
            out.extend_from_slice(written);
            // Room was left, so everything is out.
            if rest.is_empty() && written.len() < PIECE {
                return Ok(out);
            }
        }
    }
}

/// Decompresses the header blocks that come in.
#[derive(Debug)]
pub(super) struct HeaderReader(Decompress);

impl HeaderReader {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    /// Every block must be read, wanted or not: the next one builds on it.
    pub(super) fn read(&mut self, compressed: &[u8]) -> Result<Headers, SpdyError> {
        let block = self.inflate(compressed)?;
        Headers::from_block(&block).ok_or(SpdyError::Malformed("header"))
    }

    fn inflate(&mut self, mut rest: &[u8]) -> Result<Vec<u8>, SpdyError> {
        let mut out = Vec::new();
        let mut piece = [0; PIECE];
        loop {
            let (read, written) = (self.0.total_in(), self.0.total_out());
            let status = self.0.decompress(rest, &mut piece, FlushDecompress::Sync);
            let read = self.0.total_in() - read;
            let written = take(&piece, self.0.total_out() - written);
            rest = advanced(rest, read);
            out.extend_from_slice(written);
            match status {
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0.set_dictionary(&DICTIONARY).map_err(compression)?;
                    continue;
                }
                Err(error) => return Err(compression(error)),
                Ok(Status::StreamEnd) => return Err(compression("the stream ended")),
                Ok(Status::Ok | Status::BufError) => {}
            }
            if out.len() > MAX_BLOCK {
                return Err(compression("the block is too long"));
            }
            if rest.is_empty() && written.len() < PIECE {
                return Ok(out);
            }
            if read == 0 && written.is_empty() {
                return Err(compression("the block makes no sense"));
            }
        }
    }
}

fn compression(why: impl std::fmt::Display) -> SpdyError {
    SpdyError::Compression(why.to_string())
}

fn advanced(input: &[u8], by: u64) -> &[u8] {
    usize::try_from(by)
        .ok()
        .and_then(|by| input.get(by..))
        .unwrap_or_default()
}

fn take(piece: &[u8], count: u64) -> &[u8] {
    usize::try_from(count)
        .ok()
        .and_then(|count| piece.get(..count))
        .unwrap_or_default()
}
