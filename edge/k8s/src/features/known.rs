//! The feature gates of Kubernetes 1.36: names, and how far each has come.
//!
//! Upstream: test/compatibility_lifecycle/reference/versioned_feature_list.yaml (v1.36).

use super::{Gate, Stage};

/// Gates that are alike.
struct Group {
    gate: Gate,
    names: &'static str,
}

/// What is known of a gate.
pub(super) fn find(name: &str) -> Option<Gate> {
    let of_it = |group: &&Group| group.names.split_ascii_whitespace().any(|n| n == name);
    GROUPS.iter().find(of_it).map(|group| group.gate)
}

const fn group(stage: Stage, default: bool, locked: bool, names: &'static str) -> Group {
    Group {
        gate: Gate {
            stage,
            default,
            locked,
        },
        names,
    }
}

const GROUPS: &[Group] = &[
    group(
        Stage::Alpha,
        false,
        false,
        "APIServingWithRoutine AllowUnsafeMalformedObjectDeletion CBORServingAndStorage \
         CPUManagerPolicyAlphaOptions CRIListStreaming CSIVolumeHealth \
         CloudControllerManagerWatchBasedRoutesReconciliation CloudControllerManagerWebhook \
         ContainerStopSignals ControllerManagerReleaseLeaderElectionLockOnExit \
         CrossNamespaceVolumeDataSource DRAListTypeAttributes DRANodeAllocatableResources \
         DRAResourcePoolStatus DRAWorkloadResourceClaims EventedPLEG GangScheduling GenericWorkload \
         HPAScaleToZero ImageVolumeWithDigest InPlacePodVerticalScalingExclusiveCPUs \
         InPlacePodVerticalScalingExclusiveMemory KubeletInUserNamespace LoggingAlphaOptions \
         ManifestBasedAdmissionControlConfig MemoryQoS MutablePVNodeAffinity NativeHistograms \
         PersistentVolumeClaimUnusedSinceTime PodAndContainerStatsFromCRI PodLevelResourceManagers \
         PodLogsQuerySplitStreams PodsAPI QOSReserved ReduceDefaultCrashLoopBackOffDecay \
         RuntimeClassInImageCriAPI ShardedListAndWatch StorageCapacityScoring StorageVersionAPI \
         TaintTolerationComparisonOperators TopologyAwareWorkloadScheduling \
         TopologyManagerPolicyAlphaOptions UserNamespacesHostNetworkSupport VolumeLimitScaling \
         WindowsCPUAndMemoryAffinity WorkloadAwarePreemption WorkloadWithJob",
    ),
    group(
        Stage::Beta,
        false,
        false,
        "ClusterTrustBundle ClusterTrustBundleProjection ConcurrentWatchObjectDecode \
         CoordinatedLeaderElection DRADeviceTaintRules \
         LocalStorageCapacityIsolationFSQuotaMonitoring MaxUnavailableStatefulSet \
         PodCertificateRequest SELinuxMount SchedulerAsyncAPICalls StorageVersionMigrator",
    ),
    group(
        Stage::Beta,
        true,
        false,
        "APIResponseCompression APIServerIdentity AllowParsingUserUIDFromCertAuth \
         AuthorizePodWebsocketUpgradeCreatePermission CPUManagerPolicyBetaOptions \
         CRDObservedGenerationTracking ClearingNominatedNodeNameAfterBinding ComponentFlagz \
         ComponentStatusz ConstrainedImpersonation ContainerCheckpoint ContainerRestartRules \
         ContextualLogging DRAConsumableCapacity DRADeviceBindingConditions DRADeviceTaints \
         DRAExtendedResource DRAPartitionableDevices DRAResourceClaimDeviceStatus \
         DRAResourceClaimGranularStatusAuthorization DRASchedulerFilterTimeout \
         DeclarativeValidationBeta DeploymentReplicaSetTerminatingReplicas DetectCacheInconsistency \
         EnvFiles ExtendWebSocketsToKubelet GracefulNodeShutdown \
         GracefulNodeShutdownBasedOnPodPriority HPAConfigurableTolerance HostnameOverride \
         InPlacePodLevelResourcesVerticalScaling InPlacePodVerticalScalingInitContainers \
         KubeletCrashLoopBackOffMax KubeletEnsureSecretPulledImages KubeletSeparateDiskGC \
         KubeletServiceAccountTokenForCredentialProviders ListFromCacheSnapshot LoggingBetaOptions \
         MatchLabelKeysInPodTopologySpread MatchLabelKeysInPodTopologySpreadSelectorMerge \
         MutablePodResourcesForSuspendedJobs MutableSchedulingDirectivesForSuspendedJobs \
         NodeDeclaredFeatures NominatedNodeNameForExpectation OpenAPIEnums OpportunisticBatching \
         PLEGOnDemandRelist PodDeletionCost PodLevelResources PodReadyToStartContainersCondition \
         PodTopologyLabelsAdmission PortForwardWebsockets PreventStaticPodAPIReferences \
         RelaxedServiceNameValidation ReloadKubeletClientCAFile ReloadKubeletServerCertificateFile \
         RemoteRequestHeaderUID ResourceHealthStatus ResourceHealthStatusMessage \
         RestartAllContainersOnContainerExits RotateKubeletServerCertificate \
         SchedulerAsyncPreemption SchedulerPopFromBackoffQ ServiceAccountNodeAudienceRestriction \
         SizeBasedListCostEstimate StaleControllerConsistencyDaemonSet \
         StaleControllerConsistencyJob StaleControllerConsistencyReplicaSet \
         StaleControllerConsistencyStatefulSet StatefulSetSemanticRevisionComparison \
         StorageVersionHash StrictIPCIDRValidation \
         StructuredAuthenticationConfigurationEgressSelector \
         StructuredAuthenticationConfigurationJWKSMetrics TokenRequestServiceAccountUIDValidation \
         TopologyManagerPolicyBetaOptions TranslateStreamCloseWebsocketRequests \
         UnauthenticatedHTTP2DOSMitigation UnknownVersionInteroperabilityProxy \
         WatchCacheInitializationPostStartHook WatchList WindowsGracefulNodeShutdown",
    ),
    group(
        Stage::Stable,
        true,
        false,
        "AllowServiceExternalIPs CPUCFSQuotaPeriod DRAPrioritizedList MutatingAdmissionPolicy",
    ),
    group(
        Stage::Stable,
        true,
        true,
        "APIServerTracing AnonymousAuthConfigurableEndpoints AnyVolumeDataSource \
         AuthorizeNodeWithSelectors AuthorizeWithSelectors BtreeWatchCache CPUManagerPolicyOptions \
         CRDValidationRatcheting CSIServiceAccountTokenSecrets ConsistentListFromCache \
         CustomResourceFieldSelectors DRAAdminAccess DeclarativeValidation \
         DisableAllocatorDualWrite DynamicResourceAllocation ExecProbeTimeout \
         ExternalServiceAccountTokenSigner ImageMaximumGCAge ImageVolume InPlacePodVerticalScaling \
         JobBackoffLimitPerIndex JobManagedBy JobPodReplacementPolicy JobSuccessPolicy \
         KubeletCgroupDriverFromCRI KubeletFineGrainedAuthz KubeletPSI \
         KubeletPodResourcesDynamicResources KubeletPodResourcesGet KubeletTracing \
         LogarithmicScaleDown MatchLabelKeysInPodAffinity MultiCIDRServiceAllocator \
         MutableCSINodeAllocatableCount NFTablesProxyMode NodeInclusionPolicyInPodTopologySpread \
         NodeLogQuery NodeSwap OrderedNamespaceDeletion PodLifecycleSleepAction \
         PodLifecycleSleepActionAllowZero PodObservedGenerationTracking PodSchedulingReadiness \
         PreferSameTrafficDistribution ProcMountType RecoverVolumeExpansionFailure \
         RecursiveReadOnlyMounts RelaxedDNSSearchValidation RelaxedEnvironmentVariableValidation \
         ResilientWatchCacheInitialization RetryGenerateName SELinuxChangePolicy \
         SELinuxMountReadWriteOncePod SchedulerQueueingHints SeparateTaintEvictionController \
         ServiceAccountTokenJTI ServiceAccountTokenNodeBinding \
         ServiceAccountTokenNodeBindingValidation ServiceAccountTokenPodNodeInfo SidecarContainers \
         StreamingCollectionEncodingToJSON StreamingCollectionEncodingToProtobuf \
         StructuredAuthenticationConfiguration SupplementalGroupsPolicy SystemdWatchdog \
         TopologyManagerPolicyOptions UserNamespacesSupport VolumeAttributesClass WinDSR WinOverlay",
    ),
    group(
        Stage::Deprecated,
        false,
        false,
        "AllowDNSOnlyNodeCSR AllowInsecureKubeletCertificateSigningRequests \
         ChangeContainerStatusOnKubeletRestart DeclarativeValidationTakeover KMSv1 \
         KubeletRegistrationGetOnExistsOnly WindowsHostNetwork",
    ),
    group(
        Stage::Deprecated,
        false,
        true,
        "AllowOverwriteTerminationGracePeriodSeconds GitRepoVolumeDriver SeparateCacheWatchRPC",
    ),
    group(
        Stage::Deprecated,
        true,
        false,
        "DisableCPUQuotaWithExclusiveCPUs KubeletPodResourcesListUseActivePods \
         ServiceCIDRStatusFieldWiping StorageNamespaceIndex",
    ),
    group(
        Stage::Deprecated,
        true,
        true,
        "AggregatedDiscoveryRemoveBetaType DisableNodeKubeProxyVersion",
    ),
];
