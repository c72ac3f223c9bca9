#!/bin/sh
# Has the External Secrets Operator make the Secret with the database's password. Run it with --help.
set -eu

usage() {
  cat <<'EOF'
Usage: setup-external-secrets.sh [--provider aws|azure|gcp] [options]

Checks that the External Secrets Operator runs; makes a SecretStore and an ExternalSecret, from which the operator makes
the Secret that the chart reads the database's password from; and waits until it is synced. It may be run again: what is
there is brought up to date, and what Helm made is left as it is. Without a provider it waits until every ExternalSecret
of the namespace is synced, and where there is none, takes the provider whose identity the service account has: the chart
annotates it (IRSA, Workload Identity). Needs kubectl alone.

  -p, --provider NAME         aws, azure or gcp, by default $MLFLOW_SECRETS_PROVIDER, or see above
  -n, --namespace NAME        namespace, by default $MLFLOW_NAMESPACE or ml
      --store NAME            SecretStore to make, by default mlflow-secret-store
      --secret NAME           Secret to have made, by default mlflow-postgres-secret
      --key NAME              key in it, by default password
      --remote-key NAME       name of the secret at the provider, by default mlflow/postgres, or mlflow-postgres where it
                              may hold no slash (azure, gcp)
      --remote-property NAME  property of it, where the provider's secret is JSON; by default password on aws, none elsewhere
      --service-account NAME  service account as which the operator reads (IRSA, Workload Identity), by default mlflow
      --refresh TIME          time between two reads, by default 1h
      --timeout SECONDS       how long to wait until it is synced, by default 120
      --dry-run               print what would be made, ask the cluster nothing, and change nothing
  -h, --help                  this text

  aws:    --region NAME       by default $AWS_REGION, or that of the cluster's nodes
  azure:  --vault-url URL     by default $AZURE_KEY_VAULT_URL
  gcp:    --project NAME      by default $GOOGLE_CLOUD_PROJECT, or that of the service account's identity
          --cluster NAME --cluster-location NAME    of the GKE cluster, where the operator does not find them out

Exit status: 0 synced (or printed), 1 not, 2 it could not be tried.
EOF
}

stop() {
  printf 'setup-external-secrets.sh: %s\n' "$1" >&2
  exit "${2:-2}"
}

say() {
  printf '%s\n' "$1"
}

provider=${MLFLOW_SECRETS_PROVIDER:-}
namespace=${MLFLOW_NAMESPACE:-ml}
store=mlflow-secret-store
secret=mlflow-postgres-secret
key=password
remote_key=
remote_property=
service_account=mlflow
refresh=1h
timeout_s=120
is_dry=false
region=${AWS_REGION:-}
vault_url=${AZURE_KEY_VAULT_URL:-}
project=${GOOGLE_CLOUD_PROJECT:-}
cluster=
cluster_location=

# What goes into the manifests is quoted there, so it must not hold what ends a quotation.
check_plain() {
  case $2 in
    '' | *[!a-zA-Z0-9._:/@-]*) stop "$1 must be letters, digits and ._:/@-, got '$2'" ;;
  esac
}

while [ $# -gt 0 ]; do
  case $1 in
    --dry-run)
      is_dry=true
      shift
      continue
      ;;
    -h | --help)
      usage
      exit 0
      ;;
  esac
  option=$1
  [ $# -ge 2 ] || stop "$option is no option, or needs a value; see --help"
  check_plain "$option" "$2"
  case $option in
    -p | --provider) provider=$2 ;;
    -n | --namespace) namespace=$2 ;;
    --store) store=$2 ;;
    --secret) secret=$2 ;;
    --key) key=$2 ;;
    --remote-key) remote_key=$2 ;;
    --remote-property) remote_property=$2 ;;
    --service-account) service_account=$2 ;;
    --refresh) refresh=$2 ;;
    --timeout) timeout_s=$2 ;;
    --region) region=$2 ;;
    --vault-url) vault_url=$2 ;;
    --project) project=$2 ;;
    --cluster) cluster=$2 ;;
    --cluster-location) cluster_location=$2 ;;
    *) stop "unknown option $option; see --help" ;;
  esac
  shift 2
done
case $timeout_s in
  *[!0-9]*) stop "--timeout must be a number of seconds, got '$timeout_s'" ;;
esac

# What the provider needs besides its name.
check_provider() {
  case $provider in
    aws)
      [ -n "$region" ] || stop "aws needs --region, or AWS_REGION"
      remote_key=${remote_key:-mlflow/postgres}
      remote_property=${remote_property:-password}
      ;;
    azure) [ -n "$vault_url" ] || stop "azure needs --vault-url, or AZURE_KEY_VAULT_URL" ;;
    gcp) [ -n "$project" ] || stop "gcp needs --project, or GOOGLE_CLOUD_PROJECT" ;;
    *) stop "provider must be aws, azure or gcp, got '$provider'" ;;
  esac
  remote_key=${remote_key:-mlflow-postgres}
  # Of the region, the vault and the project, those of the provider; they may have come from the environment.
  for given in "$namespace" ${region:+"$region"} ${vault_url:+"$vault_url"} ${project:+"$project"}; do
    check_plain "what $provider needs" "$given"
  done
}

provider_spec() {
  case $provider in
    aws)
      cat <<EOF
    aws:
      service: SecretsManager
      region: '$region'
      auth:
        jwt:
          serviceAccountRef:
            name: '$service_account'
EOF
      ;;
    azure)
      cat <<EOF
    azurekv:
      authType: WorkloadIdentity
      vaultUrl: '$vault_url'
      serviceAccountRef:
        name: '$service_account'
EOF
      ;;
    gcp)
      cat <<EOF
    gcpsm:
      projectID: '$project'
      auth:
        workloadIdentity:
          serviceAccountRef:
            name: '$service_account'
EOF
      [ -z "$cluster" ] || printf "          clusterName: '%s'\n" "$cluster"
      [ -z "$cluster_location" ] || printf "          clusterLocation: '%s'\n" "$cluster_location"
      ;;
  esac
}

secret_store() {
  cat <<EOF
apiVersion: external-secrets.io/$version
kind: SecretStore
metadata:
  name: '$store'
  namespace: '$namespace'
  labels:
    app.kubernetes.io/part-of: mlflow
spec:
  provider:
EOF
  provider_spec
}

external_secret() {
  cat <<EOF
apiVersion: external-secrets.io/$version
kind: ExternalSecret
metadata:
  name: '$secret'
  namespace: '$namespace'
  labels:
    app.kubernetes.io/part-of: mlflow
spec:
  refreshInterval: '$refresh'
  secretStoreRef:
    kind: SecretStore
    name: '$store'
  target:
    name: '$secret'
    creationPolicy: Owner
  data:
    - secretKey: '$key'
      remoteRef:
        key: '$remote_key'
EOF
  [ -z "$remote_property" ] || printf "        property: '%s'\n" "$remote_property"
}

version=v1
[ -z "$provider" ] || check_provider
if "$is_dry"; then
  [ -n "$provider" ] || stop "--dry-run needs a --provider: without one nothing would be made"
  secret_store
  printf -- '---\n'
  external_secret
  exit 0
fi

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 2' HUP INT TERM
errors=$temporary/errors

kube() {
  kubectl --namespace "$namespace" --request-timeout 15s "$@" 2>"$errors"
}

why() {
  head -n 1 "$errors"
}

# The version in which the operator's kinds are served here, v1 before older ones.
find_operator() {
  for kind in externalsecrets secretstores; do
    if ! served=$(kube get crd "$kind.external-secrets.io" -o jsonpath='{.spec.versions[?(@.served==true)].name}'); then
      grep -q NotFound "$errors" || stop "the cluster does not say which kinds it has: $(why)"
      stop "the External Secrets Operator is not installed (no $kind.external-secrets.io); install it: helm install external-secrets external-secrets/external-secrets --namespace external-secrets --create-namespace"
    fi
    case " $served " in
      *' v1 '*) ;;
      *' v1beta1 '*) version=v1beta1 ;;
      *) stop "the External Secrets Operator serves $kind only as $served; this needs v1 or v1beta1" ;;
    esac
  done
  if ! told=$(kube get deployments --all-namespaces -l app.kubernetes.io/name=external-secrets -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name}|{.status.availableReplicas}{"\n"}{end}'); then
    say "operator: not allowed to look whether it runs ($(why))"
    return
  fi
  running=
  stopped=
  while IFS='|' read -r name available; do
    [ -n "$name" ] || continue
    if [ "${available:-0}" -gt 0 ]; then running="$running $name"; else stopped="$stopped $name"; fi
  done <<EOF
$told
EOF
  if [ -n "$running" ]; then
    say "operator:$running, API $version"
  elif [ -n "$stopped" ]; then
    stop "the External Secrets Operator does not run: no pod of$stopped is available"
  else
    say "operator: its kinds are there (API $version), its deployment was not found by its usual label"
  fi
}

# Sets the provider whose identity the service account has, and nothing where it has none.
find_provider() {
  if ! told=$(kube get serviceaccount "$service_account" -o jsonpath='{.metadata.annotations.eks\.amazonaws\.com/role-arn}|{.metadata.annotations.azure\.workload\.identity/client-id}|{.metadata.annotations.iam\.gke\.io/gcp-service-account}'); then
    grep -q NotFound "$errors" || stop "serviceaccount $service_account: $(why)"
    return 0
  fi
  aws=${told%%|*}
  rest=${told#*|}
  azure=${rest%%|*}
  gcp=${rest#*|}
  if [ -n "$aws" ]; then
    provider=aws
    [ -n "$region" ] || region=$(kube get nodes -o jsonpath='{range .items[*]}{.metadata.labels.topology\.kubernetes\.io/region}{"\n"}{end}' | head -n 1) || region=
  elif [ -n "$azure" ]; then
    provider=azure
  elif [ -n "$gcp" ]; then
    provider=gcp
    domain=${gcp#*@}
    project=${project:-${domain%%.*}}
  else
    return 0
  fi
  say "provider: $provider, whose identity the service account $service_account has"
  check_provider
}

# Prints who manages an object, and nothing where it is not there or nobody says so.
manager_of() {
  if ! kube get "$1" "$2" -o jsonpath='{.metadata.labels.app\.kubernetes\.io/managed-by}'; then
    grep -q NotFound "$errors" || stop "$1 $2: $(why)"
  fi
}

apply() {
  manager=$(manager_of "$1" "$2") || exit 2
  if [ "$manager" = Helm ]; then
    say "$1 $2: made by Helm, left as it is"
    return
  fi
  told=$("$3" | kube apply -f -) || stop "$1 $2: $(why)"
  say "$told"
}

# Ready is about what the object was when the operator last looked; the number before the dash says when that was.
is_synced() {
  told=$(kube get externalsecrets.external-secrets.io "$1" -o jsonpath='{.metadata.generation}|{.status.syncedResourceVersion}|{.status.conditions[?(@.type=="Ready")].status}|{.status.conditions[?(@.type=="Ready")].message}') || stop "externalsecret $1: $(why)"
  generation=${told%%|*}
  rest=${told#*|}
  synced=${rest%%|*}
  rest=${rest#*|}
  is_ready=${rest%%|*}
  message=${rest#*|}
  [ "$is_ready" = True ] && [ "${synced%%-*}" = "$generation" ]
}

wait_for() {
  deadline=$(($(date +%s) + timeout_s))
  until is_synced "$1"; do
    if [ "$(date +%s)" -ge "$deadline" ]; then
      said=$(kube get secretstores.external-secrets.io "$store" -o jsonpath='{.status.conditions[?(@.type=="Ready")].message}' || :)
      stop "externalsecret $1 is not synced after $timeout_s s: ${message:-the operator has not looked at it yet}${said:+ (store $store: $said)}" 1
    fi
    sleep 2
  done
  say "externalsecret $1: synced"
}

command -v kubectl >/dev/null || stop "kubectl is not installed"
kube get namespace "$namespace" -o name >"$temporary/namespace" || stop "namespace $namespace: $(why)"
find_operator

if [ -z "$provider" ]; then
  names=$(kube get externalsecrets.external-secrets.io -o jsonpath='{.items[*].metadata.name}') || stop "$(why)"
  if [ -n "$names" ]; then
    for name in $names; do wait_for "$name"; done
    exit 0
  fi
  find_provider
  [ -n "$provider" ] || stop "the namespace $namespace has no ExternalSecret, and the service account $service_account has no identity of a cloud; make one with --provider aws, azure or gcp" 1
fi

kube get serviceaccount "$service_account" -o name >"$temporary/account" ||
  stop "service account $service_account: $(why); the chart makes it, with the annotations that tie it to a cloud identity"
apply secretstores.external-secrets.io "$store" secret_store
apply externalsecrets.external-secrets.io "$secret" external_secret
wait_for "$secret"
size=$(kube get secret "$secret" -o jsonpath="{.data['$key']}" | wc -c)
[ "$size" -gt 0 ] || stop "the secret $secret has no key $key, or an empty one" 1
say "secret $secret: has the key $key"
