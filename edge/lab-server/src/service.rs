//! From a request to its handler: who, what, may they, and then the verb.

use crate::body::{self, Body, Reply, failure};
use crate::call::Call;
use crate::path::{self, Query, ResourcePath, Target};
use crate::server::Inner;
use crate::verbs::{create, delete, patch, read, update};
use crate::{
    aggregate, discovery, health, metrics, negotiate, openapi, reviews, subresources, watch,
};
use http::{Request, Response, StatusCode};
use k8s::selector::fields::FieldSelector;
use k8s::status::ApiError;
use lab_auth::tokens::Tokens;
use lab_auth::{Attributes, User};
use std::sync::Arc;
use std::time::Duration;

/// How long a request that is no watch may take. Upstream: --request-timeout.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The user of an in-process client; a request extension.
#[derive(Debug, Clone)]
pub(crate) struct Known(pub(crate) User);

/// Answers a request.
pub(crate) async fn handle(inner: Arc<Inner>, request: Request<Body>) -> Response<Body> {
    let Ok(_permit) = inner.in_flight.try_acquire() else {
        return failure(&ApiError::too_many_requests(
            "The apiserver is too busy to answer, please try again later.",
        ));
    };
    match tokio::time::timeout(TIMEOUT, route(&inner, request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => failure(&error),
        Err(_) => failure(&ApiError::timeout(
            "Timeout: request did not complete within the allotted timeout",
        )),
    }
}

async fn route(inner: &Arc<Inner>, request: Request<Body>) -> Reply {
    let user = identify(inner, &request)?;
    match path::parse(request.uri().path()) {
        Target::Other => match aggregate::claims(inner, request.uri().path()) {
            Some(remote) => aggregate::other(inner, &user, &remote, request).await,
            None => other(inner, &user, &request),
        },
        Target::Resource(path) => {
            let watch = Query::parse(request.uri().query()).flag("watch");
            let verb = path::verb(request.method(), &path, watch);
            let known = inner
                .registry()
                .find(&path.group, &path.version, &path.resource);
            let reply = resource(inner, (user, verb), path, request).await;
            let code = match &reply {
                Ok(response) => response.status().as_u16(),
                Err(error) => error.code,
            };
            inner.counters.count(
                verb,
                known.as_ref().map_or("", |known| &known.resource),
                code,
            );
            reply
        }
    }
}

/// Whom the request comes from, after impersonation.
fn identify(inner: &Arc<Inner>, request: &Request<Body>) -> Result<User, ApiError> {
    let user = match request.extensions().get::<Known>() {
        Some(Known(user)) => user.clone(),
        None => {
            let peer = request.extensions().get::<runtime::serve::Peer>();
            let certificates = peer.map(|peer| &*peer.certificates).unwrap_or_default();
            let now = runtime::clock::now();
            inner
                .access
                .authenticate(&inner.backend, now, certificates, request.headers())?
        }
    };
    crate::impersonate::apply(inner, user, request.headers())
}

/// Paths that are no resources.
fn other(inner: &Arc<Inner>, user: &User, request: &Request<Body>) -> Reply {
    let path = request.uri().path();
    let verb = request.method().as_str().to_ascii_lowercase();
    let verb = if verb == "head" { "get" } else { &verb };
    inner
        .access
        .authorize(&inner.backend, &Attributes::path(user, verb, path))?;
    let query = Query::parse(request.uri().query());
    let own = health::answer(inner, path, &query)
        .or_else(|| openapi::answer(inner, path, &query, request.headers()))
        .or_else(|| discovery::answer(inner, path, request.headers()));
    if let Some(reply) = own {
        return reply;
    }
    match path {
        "/metrics" => metrics::answer(inner),
        "/openid/v1/jwks" => Ok(body::json(StatusCode::OK, &inner.access.tokens.jwks())),
        "/.well-known/openid-configuration" => {
            let url = format!("https://{}", inner.address);
            Ok(body::json(StatusCode::OK, &Tokens::discovery(&url)))
        }
        _ if path.starts_with("/api/") || path.starts_with("/apis/") => {
            Err(ApiError::path_not_found())
        }
        _ => Ok(body::text(StatusCode::NOT_FOUND, "404 page not found\n")),
    }
}

async fn resource(
    inner: &Arc<Inner>,
    (user, verb): (User, &'static str),
    path: ResourcePath,
    request: Request<Body>,
) -> Reply {
    let query = Query::parse(request.uri().query());
    authorize(inner, &user, &path, verb, &query)?;
    let registry = inner.registry();
    if let Some(remote) = registry.remote(&path.group, &path.version) {
        return aggregate::resource(inner, &user, remote, request).await;
    }
    let Some(resource) = registry.find(&path.group, &path.version, &path.resource) else {
        return Err(ApiError::path_not_found());
    };
    if resource.namespaced && path.namespace.is_none() && !matches!(verb, "list" | "watch") {
        let reviewing = verb == "create" && path.name.is_none();
        return Err(if reviewing {
            ApiError::method_not_allowed()
        } else {
            ApiError::path_not_found()
        });
    }
    let subresource = path.subresource.is_some();
    let form = match (subresource, verb) {
        (true, _) => negotiate::form(request.headers()).unwrap_or(negotiate::Form::Object),
        _ => negotiate::form(request.headers())?,
    };
    let call = Call {
        inner: inner.clone(),
        resource,
        path,
        query,
        headers: request.headers().clone(),
        user,
        form,
        now: runtime::clock::now(),
    };
    if subresource {
        return subresources::answer(&call, verb, request).await;
    }
    if verb == "create" && reviews::has(&call.resource) {
        return reviews::answer(&call, &body::read(request.into_body()).await?);
    }
    dispatch(&call, verb, request.into_body()).await
}

async fn dispatch(call: &Call, verb: &str, body: Body) -> Reply {
    if !call.resource.allows(verb) {
        return Err(ApiError::method_not_allowed());
    }
    match verb {
        "get" => read::get(call),
        "list" => read::list(call),
        "watch" => watch::watch(call),
        "create" => create::create(call, &body::read(body).await?).await,
        "update" => update::update(call, &body::read(body).await?).await,
        "patch" => patch::patch(call, &body::read(body).await?).await,
        "delete" => delete::delete(call, &body::read(body).await?).await,
        "deletecollection" => delete::delete_collection(call, &body::read(body).await?).await,
        _ => Err(ApiError::method_not_allowed()),
    }
}

fn authorize(
    inner: &Inner,
    user: &User,
    path: &ResourcePath,
    verb: &str,
    query: &Query,
) -> Result<(), ApiError> {
    let attributes = Attributes {
        version: &path.version,
        ..Attributes::resource(user, verb, &path.group, &path.resource)
    };
    let selected = selected_name(verb, query);
    let name = path.name.as_deref().or(selected.as_deref());
    let attributes = attributes
        .on_subresource(path.subresource.as_deref().unwrap_or(""))
        .named(name.unwrap_or(""))
        .in_namespace(path.namespace.as_deref().unwrap_or(""));
    inner.access.authorize(&inner.backend, &attributes)
}

/// To list or watch one object by its name is to ask for that object.
///
/// Upstream: RequestInfoFactory.NewRequestInfo (apiserver/pkg/endpoints/request/requestinfo.go).
fn selected_name(verb: &str, query: &Query) -> Option<String> {
    matches!(verb, "list" | "watch").then_some(())?;
    let fields = FieldSelector::parse(query.get("fieldSelector")?).ok()?;
    let name = fields.exact("metadata.name")?;
    let segment = !matches!(name, "." | "..") && !name.contains(['/', '%']);
    segment.then(|| name.to_owned())
}
