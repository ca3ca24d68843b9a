"""Why a unit does not count yet, and what to do about it. Pure.

The order is the price: what the school does in a minute comes first, what must be bought last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agent.common.vocabulary.words import Words


class Reason(NamedTuple):
    """One kind of reason, and the deed that ends it."""

    why: Words
    todo: Words


REASONS: Mapping[str, Reason] = {
    "few_days": Reason(
        Words("证据天数不够", "evidence on too few days"),
        Words("教室电脑和显示设备照常开机，补足天数", "keep the room's PC and display in use"),
    ),
    "few_tests": Reason(
        Words("有效测速不够", "too few valid line tests"),
        Words("测速电脑课外保持开机，补足次数和天数", "leave the testing PC on after lessons"),
    ),
    "few_pcs": Reason(
        Words("同时上报的电脑不够", "too few PCs reporting together"),
        Words(
            "机房电脑全部装上代理，并同时开机一次", "install the agent on all PCs, turn all on once"
        ),
    ),
    "unregistered": Reason(
        Words("台账没有登记", "not in the register"),
        Words("补登记台账", "complete the register"),
    ),
    "no_room": Reason(
        Words("班级没有登记教室", "the class has no room in the register"),
        Words("在台账里给班级填上教室", "enter the class's room into the register"),
    ),
    "kind_unknown": Reason(
        Words("看到的显示设备种类不明", "a display of a kind that nothing tells"),
        Words("在台账里登记这间教室的显示设备种类", "register the kind of the room's display"),
    ),
    "elsewhere": Reason(
        Words("看到的显示设备计在别的教室", "its display counts for another room"),
        Words(
            "每间教室固定一台；确有多台的请人现场核查",
            "a display of its own for each room; if there are several, ask for an inspection",
        ),
    ),
    "no_seats": Reason(
        Words("机房座位数没有登记或太少", "seats of the computer room missing or too few"),
        Words("补登记座位数，或请人现场核查", "register the seats, or ask for an inspection"),
    ),
    "silent": Reason(
        Words("近期没有上报", "silent through the window, reported before"),
        Words("开机联网，检查代理是否还在运行", "turn on and connect, check that the agent runs"),
    ),
    "refused": Reason(
        Words("测速都不能作证据", "no line test is evidence"),
        Words("排除所列原因后重新测速", "remove the cause named, then test again"),
    ),
    "no_agent": Reason(
        Words("从来没有上报", "never reported"),
        Words("安装代理并绑定教室，或请人现场核查", "install the agent, or ask for an inspection"),
    ),
    "unproven": Reason(
        Words("只有台账，没有证据", "in the register alone, without evidence"),
        Words("让相关电脑上报，或请人现场核查", "let its PCs report, or ask for an inspection"),
    ),
    "register_only": Reason(
        Words("只能由台账说明", "only the register can tell"),
        Words("核对台账，不必整改", "check the register; nothing else is to do"),
    ),
    "no_tests": Reason(
        Words("没有测速", "no line test"),
        Words("在有线电脑上安装代理并允许测速", "install the agent on a wired PC, allow tests"),
    ),
    "standing": Reason(
        Words("以前测得不达标且未消除", "an earlier no still stands"),
        Words("整改后恢复上报，或请人现场复查", "repair, report again, or ask for an inspection"),
    ),
    "inspected": Reason(
        Words("现场核查不达标", "an inspection said no"),
        Words("按核查意见整改，再请人复查", "repair as the inspection says, then ask for another"),
    ),
    "missing": Reason(
        Words("台账有而遥测看不到", "registered, but never seen"),
        Words("修好或接好所缺设备；确实没有的改正台账并补配", "repair or connect what is missing"),
    ),
    "slow": Reason(
        Words("实测带宽不到", "measured below the threshold"),
        Words("持测速记录要求运营商按合同整改", "show the records to the provider: repair it"),
    ),
    "low_contract": Reason(
        Words("合同带宽不到", "the contract is below the threshold"),
        Words("升级接入带宽", "order a faster line"),
    ),
    "lacking": Reason(
        Words("没有配备", "not equipped"),
        Words("列入配备计划", "put it into the purchase plan"),
    ),
}
#: From the cheapest to the dearest.
PRICE: Mapping[str, int] = {code: place for place, code in enumerate(REASONS)}

#: A line's contract against its measurement.
CONTRACTS: Mapping[str, Words] = {
    "paper_only": Words("合同达到，实测没有达到", "by contract, but not by measurement"),
    "better": Words("合同没有达到，实测达到", "by measurement, but not by contract"),
}
