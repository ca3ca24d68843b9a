#!/bin/sh
# Signs a program for Windows in place, where a certificate is given; else it does nothing.
#   SCHOOLPULSE_SIGN_PKCS12         the certificate with its key, a .p12 or .pfx file
#   SCHOOLPULSE_SIGN_PASSWORD_FILE  the file that holds its password
#   SCHOOLPULSE_SIGN_TIMESTAMP      address of a timestamp server (RFC 3161), so that the signature
#                                   outlives the certificate; optional
# Usage: sign.sh FILE
set -eu
[ -n "${SCHOOLPULSE_SIGN_PKCS12:-}" ] || exit 0
command -v osslsigncode >/dev/null 2>&1 || { echo "请先安装 / install first: osslsigncode" >&2; exit 2; }
: "${SCHOOLPULSE_SIGN_PASSWORD_FILE:?names the file that holds the password of SCHOOLPULSE_SIGN_PKCS12}"
set -- "$1" -pkcs12 "$SCHOOLPULSE_SIGN_PKCS12" -readpass "$SCHOOLPULSE_SIGN_PASSWORD_FILE" -h sha256 \
  -n "SchoolPulse agent"
file=$1
shift
[ -z "${SCHOOLPULSE_SIGN_TIMESTAMP:-}" ] || set -- "$@" -ts "$SCHOOLPULSE_SIGN_TIMESTAMP"
rm -f "$file.signed"
osslsigncode sign "$@" -in "$file" -out "$file.signed" >/dev/null || { rm -f "$file.signed"; exit 1; }
mv "$file.signed" "$file"
