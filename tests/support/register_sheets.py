"""A small good register as text, and a way to spoil one cell of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SHEETS = {
    "schools": """学校标识码,学校名称,所在区县,学校类型,责任单位,开办日期,撤并日期,并入学校标识码
9963020001,城东区示例小学,城东区,小学,,2012-09-01,,
9963030001,城中区示例中学,630103,完全中学,市直属,2010/9/1,,
9963020009,城东区示例老校,城东区,小学,,,2026年7月31日,9963020001
""",
    "campuses": """学校标识码,校区,地址,纬度,经度
9963020001,本部,示例路 1 号,36.61,101.82
9963030001,南校区,,36.60,101.77
9963030001,北校区,,,
9963020009,本部,,,
""",
    "lines": """学校标识码,线路,校区,合同带宽,运营商,出口网段
9963020001,line1,本部,100,示例运营商,192.0.2.0/24
9963030001,a,南校区,1G,,
9963030001,b,南校区,8兆,,
9963030001,c,北校区,,,
""",
    "rooms": """学校标识码,校区,教室编号,教室名称,教室类型,座位数,线路
9963020001,,0101,一（1）班教室,普通教室,45,
9963020001,本部,C01,,微机室,50,
9963030001,南校区,201,,教室,40,a
9963030001,北校区,301,,录播教室,,
""",
    "classes": """学校标识码,班级,教室编号,开班日期,结束日期
9963020001,一（1）班,0101,,
9963030001,七（1）班,201、301,2026-09-01,2027-07-31
9963030001,七（2）班,,,
""",
    "equipment": """学校标识码,教室编号,设备种类,数量,序列号
9963020001,0101,投影仪,1,SN1
9963020001,0101,电脑,1,
9963030001,201,一体机,0,
""",
    "machines": """学校标识码,教室编号,主机名或机器号
9963020001,0101,SL1-0101-*
9963030001,201,0123456789ABCDEF0123456789abcdef
""",
    "calendar": """日期,结束日期,类别,说明
2026-08-31,2027-01-15,学期,
2026-10-01~2026-10-07,,放假,国庆节
2026-10-10,,调休上课,
""",
}

Spoil = Callable[[str, int, str, str], Path]


@pytest.fixture
def sheets() -> dict[str, str]:
    """Each sheet's text, free to change."""
    return dict(SHEETS)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Writes sheets to a folder."""

    def _write(texts: dict[str, str]) -> Path:
        folder = tmp_path / "register"
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        return folder

    return _write


@pytest.fixture
def folder(write: Callable[[dict[str, str]], Path], sheets: dict[str, str]) -> Path:
    """The good register."""
    return write(sheets)


@pytest.fixture
def spoil(folder: Path) -> Spoil:
    """Puts one text into the cell of (sheet, spreadsheet row, heading)."""

    def _spoil(sheet: str, row: int, heading: str, text: str) -> Path:
        path = folder / f"{sheet}.csv"
        lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
        lines[row - 1][lines[0].index(heading)] = text
        path.write_text("\n".join(map(",".join, lines)) + "\n", encoding="utf-8")
        return folder

    return _spoil
