# Sourced by the scripts beside it: a Wine prefix of our own that takes itself for Windows 10.
# The caller sets `folder`, which prepare.sh has filled.
unset DISPLAY
: "${folder:?}"
# Not in the source tree: a prefix links to the whole file system, and pip would walk it all.
export WINEPREFIX="${WINEPREFIX:-${XDG_CACHE_HOME:-$HOME/.cache}/schoolpulse/wine}"
export WINEARCH=win64 WINEDEBUG=-all
export WINEDLLOVERRIDES="mscoree=;mshtml=;winemenubuilder.exe="
export PYTHONHOME="Z:$folder/python" PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1

windows_python() { # runs the Windows Python; through a pipe, as Wine writes no files here
  wine "$folder/python/python.exe" "$@" 2>&1 | cat
}

if [ ! -e "$WINEPREFIX/.version" ]; then
  mkdir -p "$WINEPREFIX"
  wine wineboot -i >/dev/null 2>&1 || true
  wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f >/dev/null 2>&1
  wineserver -w
  touch "$WINEPREFIX/.version"
fi
