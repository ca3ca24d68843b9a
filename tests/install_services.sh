#!/bin/sh
# The real servers and tools that the tests run against. Installed where we are root on Debian;
# elsewhere named, and the tests that need them skip by name.
set -eu

missing=""
need() { # program package
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need mosquitto mosquitto
need influxd influxdb
need nginx nginx-light
need ip iproute2
need nft nftables
need snmpd snmpd
need openssl openssl
need faketime faketime
need tinyproxy tinyproxy-bin
need chromium chromium
[ -d /usr/share/fonts/opentype/noto ] || [ ! -f /etc/debian_version ] || missing="$missing fonts-noto-cjk"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing for the tests:$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "请安装后重试，否则相关测试将跳过 / install these, or their tests are skipped:$missing"
fi
