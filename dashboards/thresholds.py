"""Every threshold, target and colour of the boards, each with its reason."""

from __future__ import annotations

from typing import NamedTuple


class Threshold(NamedTuple):
    """A value, and why it is this one."""

    value: float
    reason: str


#: Where a bar turns from below to met, in percent. The figure carries its own target in the
#: field `target`; these only colour.
TARGETS = {
    "multimedia": Threshold(100, "task 26 of the city's plan, year 2020: every class"),
    "computer_room": Threshold(100, "task 26 of the city's plan, year 2020: every school"),
    "line_10m": Threshold(80, "task 26 of the city's plan, year 2020: 80% of schools"),
}
UNKNOWN_SHARE = Threshold(5, "above this, what is unknown can decide most districts' targets")
QUEUE = Threshold(1000, "two full batches: the store takes longer than the agents send")
QUARANTINE = Threshold(1, "each message in quarantine is one that somebody must look at")

#: The palette of Okabe and Ito: told apart with every common colour blindness, and in print.
BLUE, ORANGE, VERMILION = "#0072B2", "#E69F00", "#D55E00"
GREEN, SKY, PURPLE, GREY = "#009E73", "#56B4E9", "#CC79A7", "#8C8C8C"

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
    "target": "#000000",
}
