"""README.txt of an archive: what it holds, how to check it, with SchoolPulse and without. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from collector.archive.summary import FrozenYear

_ZH = """{mark}{city} {year} 年教育信息化年度指标，存档，第 {revision} 版
截止日 {cutoff}，冻结于 {at}（UTC），SchoolPulse {version}，方法 {method}。
{reason}
这个文件写成以后不再改动。更正另成一个新版，旧版保留。

里面有什么（CSV 为 UTF-8，逗号分隔，用 Excel、WPS 打开即可；JSON 为 UTF-8）：
  summary.json         摘要：各区县、各指标的单位数，目标
  figure.json          全部区域的计数和比例：exact 是精确分数，shown 是显示的数
  verdicts.csv         每个单位（班级、学校）的结论和理由
  units.jsonl          每个单位的判定过程，一行一个，中文和英文
  lines.csv            每条线路的数：90 分位、中位数、测试数、未采用的测试及原因
  changes.csv          与上一版不同的结论（第 2 版起）
  left.csv             上次冻结以后不在台账中的单位和它们最后的结论
  settings.json        计算用的设置、开放时间和上课时间
  register/            截止日有效的台账，每张表一个文件；imports.csv 是导入历史
  inspections.csv      现场核查，作废的也在内
  evidence/            判定用到的全部依据：教室每日、线路测试、测速服务器的记录、机器号的疑点
  MANIFEST.sha256      以上每个文件的 SHA-256
单元格开头的撇号 ' 不属于内容：它使表格软件不把内容当作公式。
结论的代码：verified 实测达标，inspected 现场核查，declared 仅申报，contradicted 与申报不符，
short 未配备，unknown 未知。

怎样核对：
  1. 解压后运行 sha256sum -c MANIFEST.sha256：每个文件是否原样。
  2. sha256sum MANIFEST.sha256 得到根哈希：与签字的报告上印的一致，才是签字时的那一份。
  3. schoolpulse verify 这个文件：核对每个字节，并用里面的依据重新算出指标。
"""

_EN = """{mark}{city}, yearly figure of school informatization {year}, archive, revision {revision}
Cut-off {cutoff}, frozen at {at} (UTC) by SchoolPulse {version}, method {method}.
{reason}
This file is never changed. A correction is a new revision; the earlier ones stay.

What is in it (CSV: UTF-8, commas; JSON: UTF-8):
  summary.json         in short: units by district, indicator and verdict, targets
  figure.json          counts and shares of every area: exact fractions, and as shown
  verdicts.csv         the verdict of every unit (class, school), and why
  units.jsonl          how each unit was judged, one a line, in Chinese and English
  lines.csv            every line's numbers: 90th percentile, median, tests, tests refused and why
  changes.csv          verdicts that differ from the revision before (from revision 2 on)
  left.csv             units that left the register since the last freeze, with their last verdict
  settings.json        the settings, opening hours and lessons that the figure was made with
  register/            the register in force at the cut-off, a file a sheet; imports.csv: history
  inspections.csv      on-site records, void ones too
  evidence/            all evidence that was judged: rooms, line tests, the server's records;
                       and what is odd about machine ids
  MANIFEST.sha256      the SHA-256 of each of these files
An apostrophe ' that begins a cell is no part of it: it keeps spreadsheets from seeing a formula.

How to check it:
  1. Unpack it and run sha256sum -c MANIFEST.sha256: is every file as it was?
  2. sha256sum MANIFEST.sha256 gives the root hash: if it is the one that the signed report prints,
     this is what was signed.
  3. schoolpulse verify FILE checks every byte, and makes the figure again from what is inside.
"""


def text(row: FrozenYear) -> bytes:
    """The file, UTF-8 with BOM and CRLF, so that Windows shows it."""
    mark = ("▒▒▒ 模拟数据 ▒▒▒ ", "▒▒▒ SIMULATED ▒▒▒ ") if row.simulated else ("", "")
    why = (f"更正原因：{row.reason}\n", f"Reason of the correction: {row.reason}\n")
    reason = why if row.reason else ("", "")
    common = {
        "city": row.city_name, "year": row.year, "revision": row.revision, "cutoff": row.cutoff,
        "at": f"{row.frozen_at:%Y-%m-%d %H:%M:%S}", "version": row.version, "method": row.method,
    }  # fmt: skip
    parts = (
        template.format(mark=sign, reason=cause, **common)
        for template, sign, cause in zip((_ZH, _EN), mark, reason, strict=True)
    )
    return _windows(parts)


_SUM_ZH = """{mark}{city} {year} 年教育信息化年度指标，由 {count} 个已冻结的存档合计
SchoolPulse {version}，方法 {method}。
  summary.json     摘要：合计和各存档的单位数
  figure.json      计数和比例：exact 是精确分数，shown 是显示的数
  parts.json       每个存档的摘要、设置、学校名单和根哈希
  MANIFEST.sha256  以上每个文件的 SHA-256；sha256sum MANIFEST.sha256 得到这一份的根哈希
schoolpulse verify 这个文件：核对每个字节，并重新相加。各存档本身另行核对。
"""

_SUM_EN = """{mark}{city}, yearly figure of school informatization {year}
The sum of {count} frozen archives. SchoolPulse {version}, method {method}.
  summary.json     in short: units of the sum and of each archive
  figure.json      counts and shares: exact fractions, and as shown
  parts.json       of each archive its summary, settings, schools and root hash
  MANIFEST.sha256  the SHA-256 of each of these files; sha256sum MANIFEST.sha256 is the root hash
schoolpulse verify FILE checks every byte and adds again. Each archive is verified by itself.
"""


def of_sum(row: FrozenYear) -> bytes:
    """The same for a sum of archives."""
    mark = ("▒▒▒ 模拟数据 ▒▒▒ ", "▒▒▒ SIMULATED ▒▒▒ ") if row.simulated else ("", "")
    common = {
        "city": row.city_name, "year": row.year, "count": len(row.parts),
        "version": row.version, "method": row.method,
    }  # fmt: skip
    templates = zip((_SUM_ZH, _SUM_EN), mark, strict=True)
    return _windows(template.format(mark=sign, **common) for template, sign in templates)


def _windows(parts: Iterable[str]) -> bytes:
    return b"\xef\xbb\xbf" + "\n\n".join(parts).replace("\n", "\r\n").encode()
