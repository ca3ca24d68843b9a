#!/bin/sh
# `make bundle`: the agent's wheels for offline installation, as schools have no package index.
# Gives dist/schoolpulse-agent-VERSION-offline.zip: wheels for Linux (x86_64, aarch64) and Windows
# (win_amd64) of Python 3.11 to 3.13, their SHA256SUMS, install.sh.
# Usage: bundle.sh [PYTHON]   PYTHON needs pip.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
python=${1:-python3}
version=$(sed -n 's/^VERSION = "\(.*\)"/\1/p' "$source/agent/version.py")
folder="$source/build/offline"
out="$source/dist/schoolpulse-agent-$version-offline.zip"
pip="$python -m pip --quiet --disable-pip-version-check"

rm -rf "$folder"
mkdir -p "$folder/wheels" "$source/dist"
# A copy, because building a wheel leaves folders in the tree that it builds from.
mkdir "$folder/source"
(cd "$source" && tar -cf - pyproject.toml README.md LICENSE agent collector dashboards) |
  tar -xf - -C "$folder/source"
$pip wheel --no-deps --wheel-dir "$folder/wheels" "$folder/source"
rm -rf "$folder/source"

# The agent's libraries alone, by the hashes of requirements/agent.txt.
for minor in 11 12 13; do
  for platform in manylinux2014_x86_64 manylinux2014_aarch64 win_amd64; do
    $pip download --dest "$folder/wheels" --only-binary=:all: --platform "$platform" \
      --python-version "3.$minor" --implementation cp --require-hashes \
      -r "$source/requirements/agent.txt"
  done
done
cp "$source/deploy/offline/install.sh" "$folder/install.sh"
chmod 755 "$folder/install.sh"
(cd "$folder" && sha256sum install.sh wheels/* >SHA256SUMS)

rm -f "$out"
"$python" - "$folder" "$out" <<'PY'
import pathlib, sys, zipfile
folder, out = map(pathlib.Path, sys.argv[1:])
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        archive.write(file, f"schoolpulse-agent/{file.relative_to(folder)}")
PY
ls -l "$out"
