{{- /* A native sidecar: it is there before the server is, and ends after it, so a stop cuts nobody off. */ -}}
{{- define "mlflow.oauth2Proxy" -}}
{{- $proxy := .Values.oauth2Proxy -}}
- name: oauth2-proxy
  image: {{ include "mlflow.image" (dict "image" $proxy.image "default" "latest") | quote }}
  imagePullPolicy: {{ $proxy.image.pullPolicy }}
  restartPolicy: Always
  args:
    - --http-address=0.0.0.0:4180
    - --upstream=http://127.0.0.1:5000/
    - --proxy-prefix={{ .Values.mlflow.staticPrefix }}/oauth2
    - --reverse-proxy=true
    - --provider={{ $proxy.provider }}
    {{- with $proxy.oidcIssuerUrl }}
    - --oidc-issuer-url={{ . }}
    {{- end }}
    {{- range $proxy.emailDomains }}
    - --email-domain={{ . }}
    {{- end }}
    - --cookie-secure={{ not (empty .Values.ingress.tls) }}
    - --skip-provider-button=true
    # A program that is not logged in gets a 401, and not the provider's page.
    - --api-route=^{{ .Values.mlflow.staticPrefix }}/(ajax-)?api/
    # Uploads may take their time.
    - --upstream-timeout=1h
    {{- range $option, $value := $proxy.extraArgs }}
    - --{{ $option }}={{ $value }}
    {{- end }}
  env:
    {{- range list "client-id" "client-secret" "cookie-secret" }}
    - name: OAUTH2_PROXY_{{ . | upper | replace "-" "_" }}
      valueFrom:
        secretKeyRef:
          name: {{ $proxy.existingSecret }}
          key: {{ . }}
    {{- end }}
  ports:
    - name: oauth2-proxy
      containerPort: 4180
      protocol: TCP
  startupProbe:
    httpGet:
      path: /ping
      port: oauth2-proxy
    periodSeconds: 2
    failureThreshold: 30
  livenessProbe:
    httpGet:
      path: /ping
      port: oauth2-proxy
  readinessProbe:
    httpGet:
      path: /ping
      port: oauth2-proxy
  resources:
    {{- toYaml $proxy.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.containerSecurityContext | nindent 4 }}
{{- end -}}
