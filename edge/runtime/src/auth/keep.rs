//! Follows kube-system/extension-apiserver-authentication, where the API server publishes its authorities, and the
//! files that flags name.
//!
//! Upstream: apiserver/pkg/authentication/authenticatorfactory and server/dynamiccertificates/
//! configmap_cafile_content.go (v1.36): what was read once holds until something else can be read.

use super::{Authorities, Delegated, REVIEW_TIMEOUT, authorities};
use anyhow::Context;
use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

const NAMESPACE: &str = "kube-system";
const NAME: &str = "extension-apiserver-authentication";
/// How long to wait before reading again: nothing could be read yet, or a certificate was doubted.
const RETRY: Duration = Duration::from_secs(1);
/// How often files are read again. Upstream: dynamiccertificates.FileRefreshDuration.
const REFRESH: Duration = Duration::from_secs(60);

impl Delegated {
    /// Reads the authorities in the ConfigMap once.
    pub async fn read_authorities(&self) -> anyhow::Result<()> {
        let map = timeout(REVIEW_TIMEOUT, self.maps().get(NAME))
            .await
            .with_context(|| format!("no answer within {REVIEW_TIMEOUT:?}"))??;
        self.take(map)
    }

    /// Keeps the authorities as the ConfigMap and the files have them, until `shutdown`.
    pub async fn keep_authorities(&self, shutdown: CancellationToken) {
        tokio::select! {
            () = self.follow_config_map() => {}
            () = self.follow_files() => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn follow_config_map(&self) {
        if !self.options.lookup {
            return std::future::pending().await;
        }
        tokio::select! {
            () = self.read_and_watch() => {}
            () = self.answer_doubts() => {}
        }
    }

    async fn follow_files(&self) {
        if self.files.is_none() {
            return std::future::pending().await;
        }
        loop {
            sleep(REFRESH).await;
            if let Err(error) = self.refresh_files() {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "cannot use the authorities as their files are now, keeping the old ones"
                );
            }
        }
    }

    /// Reads the authorities that flags name again.
    pub fn refresh_files(&self) -> anyhow::Result<()> {
        if let Some(files) = &self.files {
            let given = files.authorities()?;
            *self.given.write().unwrap_or_else(PoisonError::into_inner) = given;
            self.merge();
        }
        Ok(())
    }

    async fn read_and_watch(&self) {
        while let Err(error) = self.read_authorities().await {
            tracing::warn!(
                error = format!("{error:#}"),
                "cannot read the ConfigMap {NAMESPACE}/{NAME}: requests through the API server are \
                 refused until it can be read"
            );
            sleep(RETRY).await;
        }
        let mut events = pin!(watch_object(self.maps(), NAME).default_backoff());
        while let Some(event) = events.next().await {
            let taken = match event {
                Ok(Some(map)) => self.take(map),
                Ok(None) => Err(anyhow::anyhow!("it is not there any more")),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = taken {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "cannot follow the ConfigMap {NAMESPACE}/{NAME}, keeping what it said"
                );
            }
        }
    }

    /// A certificate that nobody vouches for may be newer than what a broken watch has shown.
    async fn answer_doubts(&self) {
        loop {
            sleep(RETRY).await;
            self.doubted.notified().await;
            if let Err(error) = self.read_authorities().await {
                tracing::debug!(
                    error = format!("{error:#}"),
                    "cannot look for new authorities"
                );
            }
        }
    }

    fn maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    fn take(&self, map: ConfigMap) -> anyhow::Result<()> {
        let published = authorities::published(map)?;
        *self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner) = published;
        self.merge();
        Ok(())
    }

    /// Flags come first; the ConfigMap completes them.
    fn merge(&self) {
        let read =
            |of: &RwLock<Authorities>| of.read().unwrap_or_else(PoisonError::into_inner).clone();
        let merged = read(&self.given).or(read(&self.published));
        let mut current = self
            .authorities
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(merged);
    }
}
