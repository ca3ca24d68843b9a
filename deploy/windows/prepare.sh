#!/bin/sh
# A Windows Python with the agent's libraries, run by Wine: what `make test-windows` and
# `make installer` stand on. Usage: prepare.sh FOLDER
#
# The interpreter is the Windows build of CPython that Maven Central carries; the libraries are
# the wheels for win_amd64 of requirements/windows.txt. Both are checked against SHA-256 sums that
# stand in this tree. Nothing is built but python3.dll,
# which that archive lacks and the stable-ABI wheels need: it only points into python311.dll.
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
version=3.11.3-1.5.9
sha256=3263a50b256447bb7b9e604d6587627e419891370fc33b94469e6a06ff4de834
python="$folder/python"
stamp="$folder/.ready-$(cat "$source/requirements/windows.txt" "$0" | sha256sum | cut -c1-16)"
[ -e "$stamp" ] && exit 0

missing=""
for pair in wine:wine makensis:nsis x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 mvn:maven \
  unzip:unzip; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "请先安装 / install first:$missing" >&2
    exit 2
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing wine64 >/dev/null
fi

rm -rf "$python" "$folder/unpacked"
mvn -q dependency:copy -Dartifact="org.bytedeco:cpython:$version:jar:windows-x86_64" \
  -DoutputDirectory="$folder" -Dmdep.useBaseVersion=true
jar="$folder/cpython-$version-windows-x86_64.jar"
if ! echo "$sha256  $jar" | sha256sum --check --quiet; then
  rm -f "$jar"
  echo "解释器不是原样，已删 / the interpreter is not the one that was checked, removed: $jar" >&2
  exit 1
fi
unzip -q "$jar" -d "$folder/unpacked"
mv "$folder/unpacked/org/bytedeco/cpython/windows-x86_64" "$python"
rm -rf "$folder/unpacked" "$python/lib/test" "$python/lib/idlelib" "$python/lib/tkinter"

x86_64-w64-mingw32-objdump -p "$python/python311.dll" 2>/dev/null | awk '
  /Ordinal\/Name Pointer/ { on = 1; next }
  on && /\[ *[0-9]+\]/ { print "  " $NF " = python311." $NF; next }
  on { exit }' >"$folder/names"
{ echo "LIBRARY python3.dll"; echo "EXPORTS"; cat "$folder/names"; } >"$folder/python3.def"
x86_64-w64-mingw32-gcc -shared -nostdlib -o "$python/python3.dll" "$folder/python3.def"

python3 -m pip install --quiet --disable-pip-version-check --no-compile \
  --target "$python/lib/site-packages" --upgrade \
  --platform win_amd64 --python-version 3.11 --only-binary=:all: --require-hashes \
  -r "$source/requirements/windows.txt"
touch "$stamp"
