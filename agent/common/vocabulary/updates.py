"""How far an agent's update is, and why it cannot update, in codes and words. Pure.

On the wire it is one text, `state:version` or `failed:reason:version`; nothing: no update.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

STATES: Mapping[str, Words] = {
    "downloading": Words("正在下载", "downloading"),
    "installing": Words("正在安装", "installing"),
    "installed": Words("已装好", "installed"),
    "failed": Words("未能更新", "cannot update"),
}
FAILED: Mapping[str, Words] = {
    "signature": Words("清单的签名不对", "the manifest's signature is not the city's"),
    "manifest": Words("读不懂清单", "the manifest cannot be read"),
    "replayed": Words("清单比已知的旧", "the manifest is older than one seen before"),
    "withdrawn": Words("这个版本已撤回", "the version was withdrawn"),
    "not_newer": Words("不比现有版本新", "not newer than what is installed"),
    "no_file": Words("没有适合这个系统的文件", "no file for this system"),
    "not_yet": Words("还没到可安装的时间", "not to be installed yet"),
    "unreachable": Words("下载不了", "it cannot be downloaded"),
    "refused": Words("服务器没有这个文件", "the server has no such file"),
    "hash": Words("下载的文件不对", "the file is not the one of the manifest"),
    "no_space": Words("磁盘满了", "the disk is full"),
    "no_installer": Words(
        "这个系统上没有安装程序：重新运行 install", "no installer on this PC: run install again"
    ),
    "not_installed": Words("安装失败", "the installation failed"),
    "rolled_back": Words("新版本不工作，已退回", "the new version did not work: taken back"),
}
