"""Why a server's certificate is not accepted, in words, and what to do: for both sides."""

from __future__ import annotations

import ssl

from agent.common.language import say

# OpenSSL's X509_V_ERR_…, of which the ssl module has no names.
_EXPIRED, _NOT_YET = {10}, {9}
_UNKNOWN_CA = {2, 18, 19, 20, 21, 24, 27}
_NAME = {62, 64}
#: Of the answers of a server that speaks no TLS, or none that we accept.
_PLAIN = ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "HTTP_REQUEST")


def explained(error: OSError, host: str, ca: str) -> tuple[str, str]:
    """What is wrong, and the fix. `host`: as the settings have it; `ca`: the setting of the CA file
    and its value, such as `broker.ca = /etc/…/ca.pem`, or empty where the system's are trusted.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _verification(error, host, ca)
    if isinstance(error, ssl.SSLError) and error.reason in _PLAIN:
        return (
            say("这个端口上不是 TLS", "this port speaks no TLS"),
            say("核对端口，或关掉 tls", "check the port, or turn tls off"),
        )
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        return (
            say(
                f"对方中止了握手：{error.reason}", f"the server ended the handshake: {error.reason}"
            ),
            say(
                "看对方的日志：它要客户端证书？",
                "see its log: does it want a client's certificate?",
            ),
        )
    return str(error), _files(ca)


def _verification(error: ssl.SSLCertVerificationError, host: str, ca: str) -> tuple[str, str]:
    code = error.verify_code
    if code in _EXPIRED:
        return (
            say("证书已过期", "the certificate has expired"),
            say(
                "换新的服务器证书，重启服务器；本机的时钟也要对",
                "renew the server's certificate and restart it; this clock must be right too",
            ),
        )
    if code in _NOT_YET:
        return (
            say("证书还没有生效", "the certificate is not valid yet"),
            say("先核对两台机器的时钟", "check the clocks of both machines first"),
        )
    if code in _UNKNOWN_CA:
        trusted = ca or say("系统信任的 CA", "the system's CAs")
        return (
            say("证书是另一个 CA 签发的", "the certificate is signed by another CA"),
            say(
                f"信任的是 {trusted}：换成签发它的 CA，或用这个 CA 重签服务器证书",
                f"trusted is {trusted}: name the CA that signed it, or have this CA sign anew",
            ),
        )
    if code in _NAME:
        return (
            say(f"证书不是给 {host} 的", f"the certificate is not for {host}"),
            say(
                f"用证书里的名字连接，或给 {host} 重签证书",
                f"connect by a name that it has, or issue one for {host}",
            ),
        )
    return str(error.verify_message), _files(ca)


def _files(ca: str) -> str:
    return say(
        f"核对 {ca or 'tls 设置'}，及端口是否为 TLS",
        f"check {ca or 'the TLS settings'}, and that this is the TLS port",
    )
