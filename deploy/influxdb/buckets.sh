#!/bin/sh
# The first start made the bucket `evidence`, kept for ever; telemetry expires after 90 days.
#
# Who may do what: Grafana reads both buckets, the collector reads and writes both, and neither is
# given the administrator's token, by which a viewer of boards could drop measurements. Each
# token lies in a volume that only its user mounts. On a server that was set up before, run it once
# by hand: docker compose exec influxdb sh /docker-entrypoint-initdb.d/buckets.sh
set -eu
umask 022
# By the environment, not as an argument: arguments stand in the list of processes.
INFLUX_TOKEN=$(cat "$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE")
INFLUX_ORG=$DOCKER_INFLUXDB_INIT_ORG
export INFLUX_TOKEN INFLUX_ORG
tokens=${SCHOOLPULSE_TOKENS:-/etc/influxdb2/tokens}

bucket() { influx bucket list --name "$1" --hide-headers 2>/dev/null | cut -f 1; }

# The volumes of tokens outlive a database that was made anew, or whose first start was cut off.
works() {
  [ -s "$1" ] || return 1
  for name in evidence telemetry; do
    INFLUX_TOKEN=$(cat "$1") influx bucket list --name $name 2>/dev/null | grep -q $name || return 1
  done
}

# keep FOLDER DESCRIPTION RIGHTS...: a new token with these rights, unless there is one that works.
keep() {
  file="$tokens/$1/token" description=$2
  shift 2
  works "$file" && return
  made=$(influx auth create --description "$description" --hide-headers "$@" | cut -f 3)
  [ -n "$made" ] || { echo "influx auth create gave no token for $description" >&2; exit 1; }
  printf '%s\n' "$made" >"$file.new"
  mv "$file.new" "$file"
}

evidence=$(bucket evidence)
telemetry=$(bucket telemetry)
if [ -z "$telemetry" ]; then
  influx bucket create --name telemetry --retention 90d
  telemetry=$(bucket telemetry)
fi
keep grafana schoolpulse-grafana --read-bucket "$evidence" --read-bucket "$telemetry"
keep collector schoolpulse-collector --read-bucket "$evidence" --read-bucket "$telemetry" \
  --write-bucket "$evidence" --write-bucket "$telemetry"
