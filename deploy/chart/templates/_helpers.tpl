{{- define "mlflow.fullname" -}}
{{- /* The names of CronJobs may have 52 characters, and the longest suffix is `-cleanup`. */ -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 44 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 44 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 44 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mlflow.labels" -}}
app: mlflow
app.kubernetes.io/name: mlflow
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Pods of the server. */ -}}
{{- define "mlflow.selector" -}}
app: mlflow
app.kubernetes.io/name: mlflow
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{- /* Pods of jobs, which are no `app: mlflow`: that label is what logs and services are asked for by. */ -}}
{{- define "mlflow.jobLabels" -}}
app.kubernetes.io/name: mlflow
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- if and .root.Values.artifactStore.adls.enabled .root.Values.artifactStore.adls.workloadIdentity.clientId }}
azure.workload.identity/use: "true"
{{- end }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mlflow.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mlflow.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* An image: of `image`, with `default` as its tag. */ -}}
{{- define "mlflow.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .default .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "mlflow.serverImage" -}}
{{- include "mlflow.image" (dict "image" .Values.image "default" .Chart.AppVersion) -}}
{{- end -}}

{{- define "mlflow.usesDisk" -}}
{{- $store := .Values.artifactStore -}}
{{- if or (not .Values.backendStore.postgres.enabled) (not (or $store.s3.enabled $store.adls.enabled $store.gcs.enabled)) -}}
true
{{- end -}}
{{- end -}}

{{- define "mlflow.databaseUri" -}}
{{- with .Values.backendStore.postgres -}}
{{- if .enabled -}}
postgresql://{{ .username | urlquery | replace "+" "%20" }}@{{ .host }}:{{ .port }}/{{ .database }}
{{- else -}}
sqlite:////data/runyard.db
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The root of the artifact store: bucket or container, without a path. */ -}}
{{- define "mlflow.bucketUri" -}}
{{- with .Values.artifactStore -}}
{{- if .s3.enabled -}}
s3://{{ .s3.bucket }}
{{- else if .adls.enabled -}}
abfss://{{ .adls.container }}@{{ .adls.storageAccount }}.dfs.core.windows.net
{{- else if .gcs.enabled -}}
gs://{{ .gcs.bucket }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mlflow.artifactUri" -}}
{{- $store := .Values.artifactStore -}}
{{- $bucket := include "mlflow.bucketUri" . -}}
{{- if not $bucket -}}
/data/artifacts
{{- else -}}
{{- $path := ternary $store.s3.path (ternary $store.adls.path $store.gcs.path $store.adls.enabled) $store.s3.enabled -}}
{{- printf "%s/%s" $bucket (trimAll "/" $path) | trimSuffix "/" -}}
{{- end -}}
{{- end -}}

{{- define "mlflow.backupUri" -}}
{{- if .Values.backup.destination -}}
{{- .Values.backup.destination -}}
{{- else -}}
{{- printf "%s/%s" (include "mlflow.bucketUri" .) (trimAll "/" .Values.backup.path) -}}
{{- end -}}
{{- end -}}

{{- define "mlflow.passwordFile" -}}
/etc/mlflow/postgres/{{ .Values.backendStore.postgres.passwordFromSecret.key }}
{{- end -}}

{{- define "mlflow.rootCertFile" -}}
/etc/mlflow/postgres-ca/{{ .Values.backendStore.postgres.sslRootCertFromSecret.key }}
{{- end -}}

{{- /* Variables by which runyard finds its database. */ -}}
{{- define "mlflow.databaseEnv" -}}
- name: RUNYARD_BACKEND_STORE_URI
  value: {{ include "mlflow.databaseUri" . | quote }}
{{- $root := . }}
{{- with .Values.backendStore.postgres }}
{{- if .enabled }}
{{- if .passwordFromSecret.enabled }}
- name: RUNYARD_DB_PASSWORD_FILE
  value: {{ include "mlflow.passwordFile" $root | quote }}
{{- end }}
- name: RUNYARD_DB_SSL_MODE
  value: {{ .sslMode | quote }}
{{- if .sslRootCertFromSecret.name }}
- name: RUNYARD_DB_SSL_ROOT_CERT
  value: {{ include "mlflow.rootCertFile" $root | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Variables by which PostgreSQL's own programs find it. */ -}}
{{- define "mlflow.libpqEnv" -}}
{{- with .Values.backendStore.postgres }}
- name: PGHOST
  value: {{ .host | quote }}
- name: PGPORT
  value: {{ .port | quote }}
- name: PGUSER
  value: {{ .username | quote }}
- name: PGDATABASE
  value: {{ .database | quote }}
- name: PGSSLMODE
  value: {{ .sslMode | quote }}
{{- if .sslRootCertFromSecret.name }}
- name: PGSSLROOTCERT
  value: {{ include "mlflow.rootCertFile" $ | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* What a shell does first, for PostgreSQL's programs, which take the password from a variable. */ -}}
{{- define "mlflow.exportPassword" -}}
{{- if .Values.backendStore.postgres.passwordFromSecret.enabled -}}
PGPASSWORD="$(cat {{ include "mlflow.passwordFile" . }})" && export PGPASSWORD && {{ end -}}
{{- end -}}

{{- /* Variables by which the object store is found. */ -}}
{{- define "mlflow.artifactEnv" -}}
- name: RUNYARD_ARTIFACTS_DESTINATION
  value: {{ include "mlflow.artifactUri" . | quote }}
{{- with .Values.artifactStore.s3 }}
{{- if .enabled }}
- name: AWS_REGION
  value: {{ .region | quote }}
{{- if .endpoint }}
- name: AWS_ENDPOINT_URL
  value: {{ .endpoint | quote }}
{{- if hasPrefix "http://" .endpoint }}
- name: AWS_ALLOW_HTTP
  value: "true"
{{- end }}
{{- end }}
{{- with .credentialsFromSecret }}
{{- if .enabled }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .accessKeyIdKey }}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .secretAccessKeyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.artifactStore.adls }}
{{- if .enabled }}
- name: AZURE_STORAGE_ACCOUNT_NAME
  value: {{ .storageAccount | quote }}
{{- if .credentialsFromSecret.enabled }}
- name: AZURE_STORAGE_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .credentialsFromSecret.name }}
      key: {{ .credentialsFromSecret.accessKeyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.artifactStore.gcs }}
{{- if and .enabled .credentialsFromSecret.enabled }}
- name: GOOGLE_APPLICATION_CREDENTIALS
  value: {{ printf "/etc/mlflow/gcs/%s" .credentialsFromSecret.key | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The variables `own`, as YAML, and then those of extraEnv, which replace them: a server-side apply takes no name twice. */ -}}
{{- define "mlflow.env" -}}
{{- $extra := .root.Values.extraEnv -}}
{{- $names := list -}}
{{- range $extra -}}{{- $names = append $names .name -}}{{- end -}}
{{- $env := list -}}
{{- range fromYamlArray .own -}}
{{- if not (has .name $names) -}}{{- $env = append $env . -}}{{- end -}}
{{- end -}}
{{- toYaml (concat $env $extra) -}}
{{- end -}}

{{- define "mlflow.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- with .Values.backendStore.postgres }}
{{- if and .enabled .passwordFromSecret.enabled }}
- name: postgres-password
  mountPath: /etc/mlflow/postgres
  readOnly: true
{{- end }}
{{- if and .enabled .sslRootCertFromSecret.name }}
- name: postgres-ca
  mountPath: /etc/mlflow/postgres-ca
  readOnly: true
{{- end }}
{{- end }}
{{- with .Values.artifactStore.gcs }}
{{- if and .enabled .credentialsFromSecret.enabled }}
- name: gcs-credentials
  mountPath: /etc/mlflow/gcs
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{- define "mlflow.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmpSizeLimit }}
{{- with .Values.backendStore.postgres }}
{{- if and .enabled .passwordFromSecret.enabled }}
- name: postgres-password
  secret:
    secretName: {{ .passwordFromSecret.name }}
    defaultMode: 0440
    items:
      - key: {{ .passwordFromSecret.key }}
        path: {{ .passwordFromSecret.key }}
{{- end }}
{{- if and .enabled .sslRootCertFromSecret.name }}
- name: postgres-ca
  secret:
    secretName: {{ .sslRootCertFromSecret.name }}
    defaultMode: 0440
    items:
      - key: {{ .sslRootCertFromSecret.key }}
        path: {{ .sslRootCertFromSecret.key }}
{{- end }}
{{- end }}
{{- with .Values.artifactStore.gcs }}
{{- if and .enabled .credentialsFromSecret.enabled }}
- name: gcs-credentials
  secret:
    secretName: {{ .credentialsFromSecret.name }}
    defaultMode: 0440
    items:
      - key: {{ .credentialsFromSecret.key }}
        path: {{ .credentialsFromSecret.key }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* What all pods have: who they are, what they may do, where they run. */ -}}
{{- define "mlflow.podSpec" -}}
serviceAccountName: {{ include "mlflow.serviceAccountName" . }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
# The variables of links to a service named mlflow would be taken for settings of the server: MLFLOW_PORT=tcp://…
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- /* Host headers to answer: of the ingress, the service, the pod itself and port-forward, each with and without a port. */ -}}
{{- define "mlflow.allowedHosts" -}}
{{- $name := include "mlflow.fullname" . -}}
{{- $hosts := list "localhost" "127.0.0.1" $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.%s" $name .Release.Namespace .Values.clusterDomain) -}}
{{- if .Values.ingress.enabled -}}
{{- range .Values.ingress.hosts -}}
{{- $hosts = append $hosts .host -}}
{{- end -}}
{{- end -}}
{{- $patterns := list -}}
{{- range uniq $hosts -}}
{{- $patterns = concat $patterns (list . (printf "%s:*" .)) -}}
{{- end -}}
{{- /* Prometheus asks by the pod's address; the last is an IPv6 one in its brackets, which would mean a choice of letters. */ -}}
{{- concat $patterns .Values.mlflow.allowedHosts (list "$(POD_IP)" "$(POD_IP):*" "?$(POD_IP)?:*") | join "," -}}
{{- end -}}

{{- define "mlflow.maxReplicas" -}}
{{- ternary .Values.autoscaling.maxReplicas .Values.replicaCount .Values.autoscaling.enabled -}}
{{- end -}}

{{- /* Pods beyond the wanted ones while they are replaced. */ -}}
{{- define "mlflow.surge" -}}
{{- $surge := dig "rollingUpdate" "maxSurge" "25%" .Values.strategy | toString -}}
{{- if eq .Values.strategy.type "Recreate" -}}
0
{{- else if hasSuffix "%" $surge -}}
{{- divf (mulf (trimSuffix "%" $surge | float64) (include "mlflow.maxReplicas" . | float64)) 100 | ceil -}}
{{- else -}}
{{- $surge -}}
{{- end -}}
{{- end -}}

{{- /* Connections that all pods together may open, and some for jobs and for PostgreSQL's own. */ -}}
{{- define "mlflow.connections" -}}
{{- $postgres := .Values.backendStore.postgres -}}
{{- $pods := add (include "mlflow.maxReplicas" . | int) (include "mlflow.surge" . | int) -}}
{{- add (mul (add $postgres.poolSize $postgres.maxOverflow) .Values.mlflow.workers $pods) 10 -}}
{{- end -}}

{{- define "mlflow.seconds" -}}
{{- if hasSuffix "h" . -}}{{ mul (trimSuffix "h" . | int) 3600 }}
{{- else if hasSuffix "m" . -}}{{ mul (trimSuffix "m" . | int) 60 }}
{{- else -}}{{ trimSuffix "s" . | int }}
{{- end -}}
{{- end -}}

{{- /* Fails where values contradict each other, and says what to do. */ -}}
{{- define "mlflow.check" -}}
{{- $postgres := .Values.backendStore.postgres -}}
{{- $store := .Values.artifactStore -}}
{{- $pods := include "mlflow.maxReplicas" . | int -}}
{{- if $postgres.enabled -}}
{{- $needed := include "mlflow.connections" . | int -}}
{{- if gt $needed (int $postgres.maxConnections) -}}
{{- fail (printf "backendStore.postgres: the pods may open more connections than PostgreSQL has: (poolSize %d + maxOverflow %d) x %d workers x (%d pods + %s while they are replaced) + 10 for jobs and administrators = %d, and maxConnections is %d. Lower poolSize and maxOverflow (writes need one connection a worker), mlflow.workers or autoscaling.maxReplicas; or raise max_connections of PostgreSQL, or put PgBouncer in front, and say so in backendStore.postgres.maxConnections." (int $postgres.poolSize) (int $postgres.maxOverflow) (int .Values.mlflow.workers) $pods (include "mlflow.surge" .) $needed (int $postgres.maxConnections)) -}}
{{- end -}}
{{- if and (has $postgres.sslMode (list "verify-ca" "verify-full")) (not $postgres.sslRootCertFromSecret.name) -}}
{{- fail (printf "backendStore.postgres.sslMode %s needs certificates to check PostgreSQL's against: name their Secret in backendStore.postgres.sslRootCertFromSecret.name." $postgres.sslMode) -}}
{{- end -}}
{{- end -}}
{{- $stores := 0 -}}
{{- range list $store.s3.enabled $store.adls.enabled $store.gcs.enabled -}}{{- if . -}}{{- $stores = add1 $stores -}}{{- end -}}{{- end -}}
{{- if gt (int $stores) 1 -}}
{{- fail "artifactStore: more than one store is enabled; s3 is by default. Set enabled: false for all of artifactStore.s3, artifactStore.adls and artifactStore.gcs but one." -}}
{{- end -}}
{{- if and $store.s3.enabled (not $store.s3.bucket) -}}
{{- fail "artifactStore.s3.bucket is empty: name the bucket." -}}
{{- end -}}
{{- if and $store.adls.enabled (not (and $store.adls.storageAccount $store.adls.container)) -}}
{{- fail "artifactStore.adls needs storageAccount and container." -}}
{{- end -}}
{{- if and $store.gcs.enabled (not $store.gcs.bucket) -}}
{{- fail "artifactStore.gcs.bucket is empty: name the bucket." -}}
{{- end -}}
{{- if include "mlflow.usesDisk" . -}}
{{- if not .Values.persistence.enabled -}}
{{- fail "without backendStore.postgres and an artifactStore, data is kept at /data, which goes with the pod: enable persistence, or PostgreSQL and an object store." -}}
{{- end -}}
{{- if or (gt $pods 1) (ne .Values.strategy.type "Recreate") -}}
{{- fail "what is kept at /data belongs to one pod at a time: set autoscaling.enabled: false, replicaCount: 1 and strategy: {type: Recreate, rollingUpdate: null}." -}}
{{- end -}}
{{- end -}}
{{- if and .Values.backup.enabled (not $postgres.enabled) -}}
{{- fail "backup dumps PostgreSQL, and backendStore.postgres is off: for SQLite have the volume backed up (velero.enabled)." -}}
{{- end -}}
{{- if and .Values.backup.enabled (not (include "mlflow.bucketUri" .)) (not .Values.backup.destination) -}}
{{- fail "backup has nowhere to go: enable an artifactStore, or name backup.destination." -}}
{{- end -}}
{{- if and .Values.backup.enabled (not .Values.backup.destination) (hasPrefix (printf "%s/" (include "mlflow.artifactUri" .)) (printf "%s/" (include "mlflow.backupUri" .))) -}}
{{- fail (printf "backup.path %s is among the artifacts, where clients can read and delete: name one outside of them." .Values.backup.path) -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
{{- fail (printf "autoscaling.minReplicas %d is more than autoscaling.maxReplicas %d." (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if not (or .Values.autoscaling.targetCPUUtilizationPercentage .Values.autoscaling.targetMemoryUtilizationPercentage .Values.autoscaling.metrics) -}}
{{- fail "autoscaling has nothing to look at: set autoscaling.targetCPUUtilizationPercentage, or autoscaling.metrics." -}}
{{- end -}}
{{- end -}}
{{- if .Values.serviceMonitor.enabled -}}
{{- if gt (include "mlflow.seconds" .Values.serviceMonitor.scrapeTimeout | int) (include "mlflow.seconds" .Values.serviceMonitor.interval | int) -}}
{{- fail (printf "serviceMonitor.scrapeTimeout %s is longer than serviceMonitor.interval %s, which Prometheus refuses." .Values.serviceMonitor.scrapeTimeout .Values.serviceMonitor.interval) -}}
{{- end -}}
{{- end -}}
{{- $stop := add .Values.preStopSleepSeconds .Values.mlflow.drainSeconds 30 -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $stop) -}}
{{- fail (printf "terminationGracePeriodSeconds %d would kill requests that are under way: it must be at least preStopSleepSeconds %d + mlflow.drainSeconds %d + 30 = %d." (int .Values.terminationGracePeriodSeconds) (int .Values.preStopSleepSeconds) (int .Values.mlflow.drainSeconds) $stop) -}}
{{- end -}}
{{- if not .Values.serviceAccount.create -}}
{{- range $value, $identity := dict "s3.roleArn" $store.s3.roleArn "adls.workloadIdentity.clientId" $store.adls.workloadIdentity.clientId "gcs.serviceAccountEmail" $store.gcs.serviceAccountEmail -}}
{{- if $identity -}}
{{- fail (printf "artifactStore.%s is an annotation of the service account, and serviceAccount.create is false: annotate yours, and leave the value empty." $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.oauth2Proxy.enabled (eq .Values.oauth2Proxy.provider "oidc") (not .Values.oauth2Proxy.oidcIssuerUrl) -}}
{{- fail "oauth2Proxy.oidcIssuerUrl is empty: name the issuer of your provider." -}}
{{- end -}}
{{- /* A manifest is read by more people, and kept in more places, than a Secret. */ -}}
{{- range .Values.extraEnv -}}
{{- if and .value (regexMatch "(?i)(password|secret|token|_key|credential)$|access_key" .name) -}}
{{- fail (printf "extraEnv: %s has its value in the manifest: put it into a Secret, and name that in valueFrom.secretKeyRef." .name) -}}
{{- end -}}
{{- end -}}
{{- $inUri := "://[^/@\\s]*:[^/@\\s]+@" -}}
{{- range .Values.extraEnv -}}
{{- if and .value (regexMatch $inUri (toString .value)) -}}
{{- fail (printf "extraEnv: %s has a password in its URI, and so in the manifest: name a Secret in valueFrom.secretKeyRef, or for PostgreSQL use backendStore.postgres.passwordFromSecret." .name) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraArgs -}}
{{- if regexMatch $inUri (toString .) -}}
{{- fail (printf "extraArgs: %s has a password in its URI, and so in the manifest: use backendStore.postgres.passwordFromSecret, or a variable of extraEnv from a Secret." (regexFind "^[^=]*" (toString .))) -}}
{{- end -}}
{{- end -}}
{{- range $option, $value := .Values.oauth2Proxy.extraArgs -}}
{{- if has $option (list "client-secret" "cookie-secret" "basic-auth-password") -}}
{{- fail (printf "oauth2Proxy.extraArgs: %s would be in the manifest: put it into the Secret that oauth2Proxy.existingSecret names." $option) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.hosts is empty: name the host that clients use, or set ingress.enabled: false." -}}
{{- end -}}
{{- end -}}
