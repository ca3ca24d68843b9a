#!/bin/sh
# `make audit`: known weaknesses of what installers take, by pip-audit in an environment of its own.
# 0: none found, or skipped by name where the advisories do not answer; 1: some found.
# Usage: audit.sh PYTHON FOLDER
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
python=$1
folder=$2
skip() {
  echo "skipped: $1"
  exit 0
}
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check pip-audit ||
  skip "pip-audit cannot be installed here"
for list in collector agent windows; do
  code=0
  found=$("$folder/bin/pip-audit" --strict --disable-pip --require-hashes --progress-spinner off \
    -r "$source/requirements/$list.txt" 2>&1) || code=$?
  case "$code $found" in
  0*) echo "$list: none known" ;;
  *"could not be audited"* | *ConnectionError* | *"Failed to resolve"* | *"connection error"*)
    skip "$list: the advisories do not answer" ;;
  *)
    printf '%s\n' "$found"
    exit 1
    ;;
  esac
done
