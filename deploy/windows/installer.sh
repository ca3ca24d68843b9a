#!/bin/sh
# `make installer`: the agent frozen to one folder by PyInstaller, and an installer by NSIS.
# Gives dist/windows/schoolpulse-agent/ and dist/windows/schoolpulse-agent-VERSION-setup.exe,
# signed where deploy/windows/sign.sh is given a certificate.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
folder="$source/build/windows"
out="$source/dist/windows"
sh "$source/deploy/windows/prepare.sh" "$folder"
# shellcheck source=deploy/windows/wine.sh
. "$source/deploy/windows/wine.sh"
version=$(sed -n 's/^VERSION = "\(.*\)"/\1/p' "$source/agent/version.py")

rm -rf "$out/schoolpulse-agent"
mkdir -p "$out" "$folder/freeze"
export PYTHONPATH="Z:$source"
windows_python -m PyInstaller --noconfirm --log-level ERROR --onedir --console \
  --name schoolpulse-agent --distpath "Z:$out" --workpath "Z:$folder/freeze" \
  --specpath "Z:$folder/freeze" --paths "Z:$source" \
  --collect-submodules agent --hidden-import speedtest \
  --exclude-module tkinter --exclude-module unittest --exclude-module pydoc \
  --exclude-module setuptools --exclude-module pkg_resources --exclude-module lib2to3 \
  "Z:$source/deploy/windows/entry.py"
[ -f "$out/schoolpulse-agent/schoolpulse-agent.exe" ] || { echo "PyInstaller gave no program" >&2; exit 1; }

sh "$source/deploy/windows/sign.sh" "$out/schoolpulse-agent/schoolpulse-agent.exe"
makensis -V2 "-DVERSION=$version" "-DFOLDER=$out/schoolpulse-agent" "-DSAMPLE=$source/deploy/agent.toml" \
  "-DOUT=$out/schoolpulse-agent-$version-setup.exe" "$source/deploy/windows/installer.nsi"
sh "$source/deploy/windows/sign.sh" "$out/schoolpulse-agent-$version-setup.exe"
ls -l "$out"
