#!/bin/sh
# Installs the SchoolPulse agent on Linux without a network, from the wheels beside this file.
#   sudo ./install.sh [BUNDLE.zip]     into /opt/schoolpulse; with a bundle the service too
# PYTHON=… names the interpreter (3.11 to 3.13), PREFIX=… another folder.
# 用法：sudo ./install.sh [学校的配置包.zip]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=${PREFIX:-/opt/schoolpulse}

fail() {
  echo "$1" >&2
  exit 2
}

# The city's own program lies there: it would be gone.
if [ "$prefix" = /opt/schoolpulse ] && [ -e /etc/schoolpulse/collector.toml ]; then
  fail "这是市里的机器，程序已经在：$prefix/bin/schoolpulse-agent install BUNDLE.zip / this is the city's machine, the program is there: $prefix/bin/schoolpulse-agent install BUNDLE.zip"
fi

python=${PYTHON:-}
for name in python3.13 python3.12 python3.11 python3; do
  [ -n "$python" ] && break
  found=$(command -v "$name" || true)
  if [ -n "$found" ] &&
    "$found" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    python=$found
  fi
done
[ -n "$python" ] || fail "没有 Python 3.11 到 3.13：先安装，或用 PYTHON=… 指明 / no Python 3.11 to 3.13: install one, or name it by PYTHON=…"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
  fail "Python 缺 venv：先装 python3-venv / Python lacks venv: install python3-venv"
(cd "$here" && sha256sum --check --quiet SHA256SUMS) ||
  fail "文件损坏：重新拷贝 / damaged files: copy the bundle again"

umask 022
"$python" -m venv --clear "$prefix"
"$prefix/bin/python" -m pip install --quiet --disable-pip-version-check --no-index \
  --find-links "$here/wheels" schoolpulse
"$prefix/bin/schoolpulse-agent" --version
if [ "$prefix" = /opt/schoolpulse ]; then
  ln -sf "$prefix/bin/schoolpulse-agent" /usr/local/bin/
fi
# A service that runs goes on as the new version.
if [ -e /etc/systemd/system/schoolpulse-agent.service ]; then
  systemctl try-restart schoolpulse-agent.service || true
fi
if [ $# -gt 0 ]; then
  exec "$prefix/bin/schoolpulse-agent" install "$@"
fi
echo "接着 / next: sudo $prefix/bin/schoolpulse-agent install BUNDLE.zip"
