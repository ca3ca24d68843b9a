"""Every threshold and colour of the boards, each with its reason.

Targets and the threshold of a line are the settings': see `dashboards.edition`.
"""

from __future__ import annotations

from typing import NamedTuple


class Threshold(NamedTuple):
    """A value, and why it is this one."""

    value: float
    reason: str


UNKNOWN_SHARE = Threshold(5, "above this, what is unknown can decide most districts' targets")
QUEUE = Threshold(1000, "two full batches: the store takes longer than the agents send")
KEEPER_LAG_S = Threshold(600, "ten minutes: a fault is on the boards after three")
QUARANTINE = Threshold(1, "each message in quarantine is one that somebody must read")
CONTRACT_SHARE = Threshold(0.9, "wire rates of a healthy line lie above; below, call the provider")
SEATS_SHARE = Threshold(0.8, "the method's rule for a computer room that counts")
FAULT_DAYS = Threshold(1, "a day: what is repaired within one needs no list")
GONE_DAYS = Threshold(1, "a day: what was lent for a lesson or unplugged is back by then")
LINE_DAYS = Threshold(5, "school days of a week: one bad test, or one bad day, proves nothing")
SILENT_HOURS = Threshold(3, "open hours: a fire drill or a power cut is over by then")
CLOCK_MS = Threshold(300_000, "five minutes: certificates and logons begin to fail beyond it")
OUTBOX_ROWS = Threshold(200, "more than a school day of reports every five minutes waits")
LAMP_HOURS = Threshold(3000, "what makers promise of a lamp in normal mode; order one now")
CALENDAR_DAYS = Threshold(14, "two weeks to get next term's dates from the office")
CERTIFICATE_DAYS = Threshold(30, "a month to renew before agents are turned away")

#: The palette of Okabe and Ito: distinct with every common colour blindness, and in print.
BLUE, ORANGE, VERMILION = "#0072B2", "#E69F00", "#D55E00"
GREEN, SKY, PURPLE, GREY = "#009E73", "#56B4E9", "#CC79A7", "#8C8C8C"

EVENT_COLOURS = {
    "appeared": BLUE,
    "gone": ORANGE,
    "fault": VERMILION,
    "repaired": GREEN,
    "withdrawn": GREY,
}
VERDICT_COLOURS = {
    "verified": BLUE,
    "inspected": SKY,
    "declared": ORANGE,
    "contradicted": VERMILION,
    "short": PURPLE,
    "unknown": GREY,
}
SHARE_COLOURS = {
    "verified_share": BLUE,
    "reported_share": ORANGE,
    "ceiling_share": SKY,
    "unknown_share": GREY,
    "target": "text",  # dark on a light board, light on a dark one
}
