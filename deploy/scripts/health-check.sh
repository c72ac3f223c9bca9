#!/bin/sh
# Looks whether the tracking server in a cluster is well. Run it with --help.
set -eu

usage() {
  cat <<'EOF'
Usage: health-check.sh [--namespace NAME] [--release NAME] [--url URL] [--json]

Looks whether a tracking server that was installed by the chart is well: its deployment, pods, service, endpoints,
ingress and External Secrets, and whether it answers /health, /readyz and /metrics. Needs kubectl alone, and rights to
read those objects and to exec into the pods.

  -n, --namespace NAME  namespace, by default $MLFLOW_NAMESPACE or ml
  -r, --release NAME    release, by default $MLFLOW_RELEASE or mlflow
  -u, --url URL         ask the server there, with curl from here, by default $MLFLOW_URL; without one it is asked from
                        within its own pod
      --json            JSON for programs
  -h, --help            this text

Exit status: 0 all is well (there may be warnings), 1 something is not, 2 it could not be looked at.
EOF
}

stop() {
  printf 'health-check.sh: %s\n' "$1" >&2
  exit 2
}

namespace=${MLFLOW_NAMESPACE:-ml}
release=${MLFLOW_RELEASE:-mlflow}
url=${MLFLOW_URL:-}
format=text
while [ $# -gt 0 ]; do
  case $1 in
    -n | --namespace | -r | --release | -u | --url)
      [ $# -ge 2 ] || stop "$1 needs a value"
      case $1 in
        -n | --namespace) namespace=$2 ;;
        -r | --release) release=$2 ;;
        *) url=$2 ;;
      esac
      shift 2
      ;;
    --json)
      format=json
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) stop "unknown option $1; see --help" ;;
  esac
done

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 2' HUP INT TERM
results=$temporary/results
errors=$temporary/errors
: >"$results"

# Each finding is a line: ok, warning, failed or skipped; what was looked at; what was found.
found() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$(printf '%s' "$3" | tr '\n\t' '  ')" >>"$results"
}

kube() {
  kubectl --namespace "$namespace" --request-timeout 15s "$@" 2>"$errors"
}

is_missing() {
  grep -q -e NotFound -e "the server doesn't have a resource type" "$errors"
}

why() {
  head -n 1 "$errors"
}

# The chart names everything after its release or fullnameOverride, and labels everything with the release.
find_name() {
  selector=app=mlflow,app.kubernetes.io/instance=$release
  name=$(kube get deployment -l "$selector" -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}' | head -n 1) || name=
  name=${name:-$release}
}

check_deployment() {
  if ! told=$(kube get deployment "$name" -o jsonpath='{.spec.replicas}|{.status.availableReplicas}|{.status.updatedReplicas}'); then
    found failed deployment "deployment/$name: $(why)"
    return
  fi
  wanted=${told%%|*}
  rest=${told#*|}
  available=${rest%%|*}
  updated=${rest#*|}
  summary="${available:-0} of $wanted replicas are available"
  if [ "$wanted" -eq 0 ]; then
    found failed deployment "scaled to 0 replicas; kubectl scale deployment/$name --replicas 2"
  elif [ "${available:-0}" -eq 0 ]; then
    found failed deployment "$summary"
  elif [ "${available:-0}" -lt "$wanted" ]; then
    found warning deployment "$summary"
  elif [ "${updated:-0}" -lt "$wanted" ]; then
    found warning deployment "$summary, and ${updated:-0} of them are of the newest version"
  else
    found ok deployment "$summary"
  fi
}

# Pods of jobs that are over are not looked at.
check_pods() {
  if ! told=$(kube get pods -l "$selector" -o jsonpath='{range .items[*]}{.metadata.name}|{.status.phase}|{.status.conditions[?(@.type=="Ready")].status}|{.status.containerStatuses[*].restartCount}|{.status.containerStatuses[*].state.waiting.reason}{"\n"}{end}'); then
    found failed pods "$(why)"
    return
  fi
  ready=0
  restarted=
  troubled=
  while IFS='|' read -r pod phase is_ready restarts reason; do
    case $phase in '' | Succeeded) continue ;; esac
    if [ "$is_ready" = True ]; then
      ready=$((ready + 1))
    else
      troubled="$troubled $pod (${reason:-$phase})"
    fi
    for count in $restarts; do
      [ "$count" -lt 5 ] || restarted="$restarted $pod ($count)"
    done
  done <<EOF
$told
EOF
  if [ "$ready" -eq 0 ]; then
    found failed pods "no pod with the labels $selector is ready:${troubled:- there is none}"
  elif [ -n "$troubled" ]; then
    found warning pods "$ready ready, and not:$troubled"
  elif [ -n "$restarted" ]; then
    found warning pods "$ready ready; often restarted:$restarted"
  else
    found ok pods "$ready ready"
  fi
}

check_service() {
  if ! ports=$(kube get service "$name" -o jsonpath='{.spec.ports[*].port}'); then
    found failed service "service/$name: $(why)"
    return
  fi
  case " $ports " in
    *' 5000 '*) found ok service "ports $ports" ;;
    *) found warning service "has no port 5000, only $ports" ;;
  esac
}

check_endpoints() {
  if ! told=$(kube get endpointslices.discovery.k8s.io -l "kubernetes.io/service-name=$name" -o jsonpath='{range .items[*].endpoints[*]}{.conditions.ready}{"\n"}{end}'); then
    found failed endpoints "$(why)"
    return
  fi
  count=$(printf '%s\n' "$told" | grep -c true || :)
  if [ "$count" -eq 0 ]; then
    found failed endpoints "the service has no ready endpoint: no pod is ready, or its selector fits none"
  else
    found ok endpoints "$count ready"
  fi
}

check_ingress() {
  if ! told=$(kube get ingress "$name" -o jsonpath='{.spec.rules[*].host}|{.status.loadBalancer.ingress[*].ip}{.status.loadBalancer.ingress[*].hostname}|{.spec.tls[*].secretName}'); then
    if is_missing; then
      found skipped ingress "there is none"
    else
      found failed ingress "$(why)"
    fi
    return
  fi
  hosts=${told%%|*}
  rest=${told#*|}
  address=${rest%%|*}
  missing=
  for secret in ${rest#*|}; do
    kube get secret "$secret" -o name >"$temporary/secret" || missing="$missing $secret"
  done
  if [ -z "$address" ]; then
    found failed ingress "$hosts: has no address; is an ingress controller of its class running?"
  elif [ -n "$missing" ]; then
    found failed ingress "$hosts at $address: its certificate is not there:$missing"
  else
    found ok ingress "$hosts at $address"
  fi
}

check_external_secrets() {
  if ! told=$(kube get externalsecrets.external-secrets.io -o jsonpath='{range .items[*]}{.metadata.name}|{.status.conditions[?(@.type=="Ready")].status}|{.status.conditions[?(@.type=="Ready")].reason}{"\n"}{end}'); then
    if is_missing; then
      found skipped "external secrets" "the External Secrets Operator is not installed"
    else
      found failed "external secrets" "$(why)"
    fi
    return
  fi
  count=0
  troubled=
  while IFS='|' read -r external is_ready reason; do
    [ -n "$external" ] || continue
    count=$((count + 1))
    [ "$is_ready" = True ] || troubled="$troubled $external (${reason:-never synced})"
  done <<EOF
$told
EOF
  if [ -n "$troubled" ]; then
    found failed "external secrets" "not synced:$troubled"
  elif [ "$count" -eq 0 ]; then
    found skipped "external secrets" "there are none"
  else
    found ok "external secrets" "$count synced"
  fi
}

# Prints the status of the answer on a line, and then its body.
FETCH='
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=10)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status)
sys.stdout.write(answer.read().decode("utf-8", "replace"))
'

fetch() {
  if [ -n "$url" ]; then
    curl --silent --show-error --max-time 15 --write-out '\n%{http_code}' "${url%/}$1" 2>"$errors" |
      awk '{ line[NR] = $0 } END { if (NR) print line[NR]; for (i = 1; i < NR; i++) print line[i] }'
  else
    kube exec "deployment/$name" -- python -c "$FETCH" "http://127.0.0.1:5000$1"
  fi
}

check_answer() {
  if ! fetch "$1" >"$temporary/answer"; then
    found failed "$1" "no answer: $(tail -n 1 "$errors")"
    return
  fi
  status=$(head -n 1 "$temporary/answer")
  if [ "$status" != 200 ]; then
    found failed "$1" "${status:-no answer} $(sed -n 2p "$temporary/answer" | cut -c 1-200)$(tail -n 1 "$errors")"
  elif [ "$1" = /metrics ] && ! grep -q '^mlflow_http_requests_total' "$temporary/answer"; then
    found failed /metrics "the answer has no metrics of the tracking server"
  else
    found ok "$1" 200
  fi
}

text() {
  while IFS='	' read -r status what detail; do
    printf '%-8s %-17s %s\n' "$status" "$what" "$detail"
  done <"$results"
  if [ "$outcome" -eq 0 ]; then
    printf 'The tracking server %s/%s is well.\n' "$namespace" "$release"
  else
    printf 'The tracking server %s/%s is NOT well.\n' "$namespace" "$release"
  fi
}

quoted() {
  printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\037' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g')"
}

json() {
  is_ok=true
  [ "$outcome" -eq 0 ] || is_ok=false
  printf '{"namespace": %s, "release": %s, "ok": %s, "checks": [' "$(quoted "$namespace")" "$(quoted "$release")" "$is_ok"
  separator=
  while IFS='	' read -r status what detail; do
    printf '%s\n  {"name": %s, "status": %s, "detail": %s}' "$separator" "$(quoted "$what")" "$(quoted "$status")" "$(quoted "$detail")"
    separator=,
  done <"$results"
  printf '\n]}\n'
}

command -v kubectl >"$temporary/kubectl" || stop "kubectl is not installed"
[ -z "$url" ] || command -v curl >"$temporary/curl" || stop "--url needs curl, which is not installed"
kube get namespace "$namespace" -o name >"$temporary/namespace" || stop "namespace $namespace: $(why)"

find_name
check_deployment
check_pods
check_service
check_endpoints
check_ingress
check_external_secrets
check_answer /health
check_answer /readyz
check_answer /metrics

outcome=0
! grep -q '^failed' "$results" || outcome=1
if [ "$format" = json ]; then
  json
else
  text
fi
exit "$outcome"
