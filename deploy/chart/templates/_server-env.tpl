{{- /* What the server is told. */ -}}
{{- define "mlflow.serverEnv" -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: RUNYARD_HOST
  value: "0.0.0.0"
- name: RUNYARD_PORT
  value: "5000"
{{- with .Values.mlflow }}
- name: RUNYARD_WORKERS
  value: {{ .workers | quote }}
- name: RUNYARD_ALLOWED_HOSTS
  value: {{ include "mlflow.allowedHosts" $ | quote }}
{{- with .corsAllowedOrigins }}
- name: RUNYARD_CORS_ALLOWED_ORIGINS
  value: {{ join "," . | quote }}
{{- end }}
- name: RUNYARD_STATIC_PREFIX
  value: {{ .staticPrefix | quote }}
- name: RUNYARD_SERVE_ARTIFACTS
  value: {{ .serveArtifacts | quote }}
{{- if not .serveArtifacts }}
- name: RUNYARD_DEFAULT_ARTIFACT_ROOT
  value: {{ include "mlflow.artifactUri" $ | quote }}
{{- end }}
- name: RUNYARD_DIRECT_TRANSFERS
  value: {{ .directTransfers | quote }}
- name: RUNYARD_READ_ONLY
  value: {{ .readOnly | quote }}
- name: RUNYARD_RATE_LIMIT
  value: {{ .rateLimit | quote }}
{{- with .trustedProxies }}
- name: RUNYARD_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
- name: RUNYARD_LOG_LEVEL
  value: {{ .logLevel | quote }}
- name: RUNYARD_LOG_FORMAT
  value: {{ .logFormat | quote }}
- name: RUNYARD_ACCESS_LOG
  value: {{ .accessLog | quote }}
- name: RUNYARD_DRAIN
  value: {{ .drainSeconds | quote }}
{{- end }}
{{- include "mlflow.databaseEnv" . | nindent 0 }}
{{- with .Values.backendStore.postgres }}
{{- if .enabled }}
- name: RUNYARD_POOL_SIZE
  value: {{ .poolSize | quote }}
- name: RUNYARD_MAX_OVERFLOW
  value: {{ .maxOverflow | quote }}
- name: RUNYARD_POOL_RECYCLE
  value: {{ .poolRecycle | quote }}
- name: RUNYARD_POOL_PRE_PING
  value: {{ .poolPrePing | quote }}
- name: RUNYARD_STATEMENT_TIMEOUT
  value: {{ .statementTimeout | quote }}
- name: RUNYARD_LOCK_TIMEOUT
  value: {{ .lockTimeout | quote }}
- name: RUNYARD_OUTAGE
  value: {{ .outage | quote }}
{{- if .readReplica.host }}
- name: RUNYARD_READ_REPLICA_URI
  value: {{ printf "postgresql://%s@%s:%v/%s" (.username | urlquery | replace "+" "%20") .readReplica.host .readReplica.port .database | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.cleanup.finishedDays }}
- name: RUNYARD_CLEANUP_ENABLED
  value: "true"
- name: RUNYARD_CLEANUP_FINISHED_DAYS
  value: {{ .Values.cleanup.finishedDays | quote }}
- name: RUNYARD_CLEANUP_DELETED_DAYS
  value: {{ .Values.backendStore.postgres.cleanupRunsDays | quote }}
- name: RUNYARD_CLEANUP_DRY_RUN
  value: {{ .Values.cleanup.dryRun | quote }}
{{- end }}
{{- include "mlflow.artifactEnv" . | nindent 0 }}
{{- end -}}
