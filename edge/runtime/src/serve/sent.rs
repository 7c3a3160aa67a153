//! What is sent of an answer: all of it, or for HEAD its head alone; its request counts as under way until then.

use super::places::Busy;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

pub(super) struct Sent<B> {
    body: Option<Pin<Box<B>>>,
    _busy: Busy,
}

impl<B: Body> Sent<B> {
    /// Without the body, but with the length it would have, where `head_only`: HTTP/2 would send it.
    pub(super) fn new(response: Response<B>, head_only: bool, busy: Busy) -> Response<Self> {
        let (mut head, body) = response.into_parts();
        if head_only && let Some(length) = body.size_hint().exact() {
            head.headers
                .entry(CONTENT_LENGTH)
                .or_insert_with(|| HeaderValue::from(length));
        }
        let body = (!head_only).then(|| Box::pin(body));
        Response::from_parts(head, Self { body, _busy: busy })
    }
}

impl<B: Body> Body for Sent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match &mut self.body {
            Some(body) => body.as_mut().poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
