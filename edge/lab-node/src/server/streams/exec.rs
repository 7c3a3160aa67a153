//! A command in a running container.

use super::copying::{output, resizing, typing};
use super::{Name, running, switching};
use crate::host::Host;
use crate::process::{Exit, Running, Streams};
use crate::server::Body;
use crate::server::query::values;
use http::{Request, Response};
use hyper::body::Incoming;
use k8s::status::ApiError;
use streaming::Limits;
use streaming::remote_command::{ExitStatus, Options, Session, negotiate};
use tokio_util::sync::CancellationToken;

/// The code of what was killed because its client went away; nobody is left to read it.
const KILLED: i32 = 137;

/// Starts a command, and joins its streams with the client's.
pub(crate) fn exec(
    host: &Host,
    name: Name<'_>,
    request: &mut Request<Incoming>,
) -> Result<Response<Body>, ApiError> {
    let instance = running(host, name)?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let options = Options::from_query(&query);
    let command: Vec<String> = values(&query, "command").collect();
    let negotiated = negotiate(request, options)?;
    let pending = negotiated.pending;
    tokio::spawn(async move {
        let mut session = match pending.open(Limits::default()).await {
            Ok(session) => session,
            Err(error) => return tracing::debug!(%error, "exec did not begin"),
        };
        let started = instance.exec(&command, options.tty, options.stdin).await;
        let status = match started {
            Ok((running, streams)) => join(running, streams, &mut session).await,
            Err(why) => not_started(&why),
        };
        session.finish(status).await;
    });
    Ok(switching(negotiated.response))
}

/// What container runtimes say.
fn not_started(why: &str) -> ExitStatus {
    ExitStatus::Failed(ApiError::internal(format!(
        "error executing command in container: failed to exec in container: failed to start exec: \
         OCI runtime exec failed: exec failed: unable to start container process: {why}"
    )))
}

/// Joins the streams until the command has ended and all its output is with the client. A client that
/// goes away takes the command with it.
async fn join(running: Running, streams: Streams, session: &mut Session) -> ExitStatus {
    let ended = CancellationToken::new();
    let exit = async {
        let exit = running.wait().await;
        ended.cancel();
        exit
    };
    let closed = session.closed.clone();
    let exit = tokio::select! {
        exit = with_streams(exit, streams, session, &ended) => exit.code,
        () = closed.cancelled() => KILLED,
    };
    ExitStatus::Exited(exit)
}

async fn with_streams(
    exit: impl Future<Output = Exit>,
    streams: Streams,
    session: &mut Session,
    ended: &CancellationToken,
) -> Exit {
    let (input, out) = (session.stdin.take(), session.stdout.take());
    match streams {
        Streams::Pipes {
            stdin,
            stdout,
            stderr,
        } => {
            let feed = async {
                // The pipe is dropped at the client's end of input, which tells the command.
                if let (Some(mut input), Some(mut stdin)) = (input, stdin) {
                    drop(tokio::io::copy(&mut input, &mut stdin).await);
                }
            };
            let errors = session.stderr.take();
            let outputs = async {
                tokio::join!(
                    exit,
                    output(stdout, out, ended),
                    output(stderr, errors, ended)
                )
                .0
            };
            beside(outputs, feed).await
        }
        Streams::Terminal(terminal) => {
            let sizes = &mut session.resize;
            let feed = async { tokio::join!(typing(&terminal, input), resizing(&terminal, sizes)) };
            let outputs = async { tokio::join!(exit, output(terminal.clone(), out, ended)).0 };
            beside(outputs, feed).await
        }
    }
}

/// The result of `main`, with `other` going on beside it as long as it likes.
pub(super) async fn beside<T>(main: impl Future<Output = T>, other: impl Future) -> T {
    let for_ever = async {
        other.await;
        std::future::pending::<T>().await
    };
    tokio::select! {
        result = main => result,
        never = for_ever => never,
    }
}
