#!/bin/sh
# The first start made the bucket `evidence`, kept for ever; telemetry expires after 90 days.
set -eu
influx bucket create --org "$DOCKER_INFLUXDB_INIT_ORG" --name telemetry --retention 90d \
    --token "$(cat "$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE")"
