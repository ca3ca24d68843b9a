"""A line test: the load runs in a child process, the interface's counters are sampled here.

The child (agent.probes.line.load) asks the measurement server for a test, runs speedtest-cli
against it, and closes the test. This side samples the interface of the route to the server,
ends each direction when its rate is known well enough or its limit is reached, and determines
the outcome. Nothing of it stays in memory after the test.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agent.common.steady import Sample, aligned, confirmed
from agent.probes.line import child as line_child
from agent.probes.line import estimator, nics
from agent.probes.line.download import Download
from agent.probes.line.invalid import invalid_because
from agent.wire import LineTest
from agent.wire.messages import MAX_RATE, LineOutcome
from agent.wire.postponed import Postponed

Progress = Callable[..., None]
_Failure = tuple[LineOutcome, str, str]  # with the reason and its detail

#: Timeout of one answer from the server, s.
_ANSWER_S = 5.0
#: Deadlines of the download and of the upload, as shares of the whole time.
_DOWN_BY, _UP_BY = 0.48, 0.85
#: Shares of the byte limit; the rest covers bytes that are still on their way at the end.
_DOWN_BYTES, _UP_BYTES = 0.55, 0.35
#: The download ends once half its interval's width is below this share, after this time, s.
_TIGHT, _TIGHT_S = 0.01, 3.0
#: The upload is sampled by the server, so this side cannot tell when it is known; s.
_UP_S = 4.0
#: With less payload than this there is no rate, bytes.
_MIN_PAYLOAD = 64 * 1024
#: With a counter that is refreshed each second or two, the download may last until then.
_SLOW_DOWN_BY = 0.7
#: Round trips until the connections of a far line have come back from their first losses. Fast
#: lines have used up their bytes by then.
_BACK_TRIPS = 20
#: How often this side's counters are compared with the goal after the first second, s.
_LOOK_S = 0.1
_IDLE_S = 0.1
#: A counter that steps back must have been read for this long before, s.
_RAMP_S = 2.0


def measure(
    server: str,
    *,
    school: str,
    machine: str,
    line: str,
    max_seconds: float = 15.0,
    max_bytes: int = 100_000_000,
    key: str = "",
    window: str = "",
    left_s: float | None = None,
    allowed: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> LineTest | Postponed:
    """Test the line to `server` (http://host:port) once; rates in Mbit/s on the wire.

    Never raises for what a network does: a test that failed is a LineTest with its outcome
    and reason (see agent.common.vocabulary.reasons), and without rates; Postponed where it is
    not our turn. Takes at most `max_seconds`, more on a line with a long round trip (a minute at
    most), twice that where the server grants a long test, and about `max_bytes` both ways
    together. `key` is the school's; `window` names the schedule's, which closes after `left_s`;
    `allowed` is what the policy allows (quiet_per_day, lesson_per_day, month_bytes).
    `progress(phase=..., share=..., mbps=...)` is called a few times a second.
    """
    wish = {"school": school, "machine": machine, "line": line, "max_seconds": max_seconds}
    wish |= {"window": window, "left_s": left_s, **(allowed or {})}
    return _Test(server, wish, key, max_bytes, progress).run()


class _Test:
    def __init__(
        self, server: str, wish: dict[str, Any], key: str, max_bytes: int, progress: Progress | None
    ) -> None:
        self.wish = wish
        self.started = time.perf_counter()
        self.max_seconds = float(wish["max_seconds"])
        self.progress = progress
        self.task = {
            "server": server,
            "wish": wish,
            "key": key,
            "timeout": min(_ANSWER_S, self.max_seconds / 2),
            "max_bytes": {
                "download": int(max_bytes * _DOWN_BYTES), "upload": int(max_bytes * _UP_BYTES),
            },
        }  # fmt: skip
        self.long, self.far_s = False, 0.0
        self.later: Postponed | None = None
        self.test = self.interface = self.phase = ""
        self.phase_started = self.started
        self.looked = 0.0
        self.pc: Download  # from `run` on
        self.payload: list[Sample] = []
        self.idle_ms: list[float] = []
        self.loaded_ms: list[float] = []
        self.payload_down = self.payload_up = 0
        self.seen: dict[str, Any] | None = None
        self.failed: _Failure | None = None

    def run(self) -> LineTest | Postponed:
        """Run the child to its end or to the time limit, and return the result."""
        with line_child.started(self.task) as child:
            self.pc = Download(child.pid)
            while self.failed is None and self.seen is None and self.later is None:
                now = time.perf_counter()
                if now - self.started >= self.max_seconds:
                    self.failed = self._out_of_time()
                    break
                loaded = self.phase == "download"
                for event in child.events(self.pc.pause() if loaded else _IDLE_S):
                    self._on_event(event)
                if self.phase == "download":
                    self.pc.sample()
                self._end_direction_if_due(child)
        return self.later or self._result()

    def _on_event(self, event: dict[str, Any]) -> None:
        """Handle one event of the child; see agent.probes.line.load."""
        kind = event["event"]
        if kind == "granted":
            self.test, self.interface = event["id"], nics.owner(event["local"])
            self.long, self.far_s = event["long"], event["far_s"]
            self.max_seconds = (self.max_seconds + event["more_s"]) * (2 if self.long else 1)
        elif kind == "later":
            self.later = Postponed(event["answer"], event["retry_s"])
        elif kind == "latency":
            self.idle_ms = event["ms"]
        elif kind == "phase":
            if self.phase == "download":
                self.pc.end()
            self.phase, self.phase_started = event["name"], time.perf_counter()
            if self.phase == "download":
                self.pc.begin(self.interface)
        elif kind == "bytes":
            self._count(event)
        elif kind == "loaded" and not self.loaded_ms:
            self.loaded_ms = event["ms"]
        elif kind == "done":
            self.seen = event["seen"]
        elif kind == "failed" and not (self.seen or self.failed):  # the first one counts
            self.failed = event["outcome"], event["reason"], event["detail"]

    def _count(self, event: dict[str, Any]) -> None:
        self.payload_down, self.payload_up = event["down"], event["up"]
        if self.phase == "download":
            self.payload.append((event["t"], event["down"]))

    def _end_direction_if_due(self, child: line_child.Child) -> None:
        """End the running direction when its rate is known well enough, or its time is up."""
        now = time.perf_counter()
        if now - self.looked < _LOOK_S and now - self.phase_started > 1:
            return
        self.looked = now
        if self.phase == "download":
            self._end_download_if_due(child, now)
        elif self.phase == "upload":
            late = now - self.started >= self.max_seconds * _UP_BY
            if late or now - self.phase_started >= _UP_S + _BACK_TRIPS * self.far_s:
                child.stop("upload")
            self._show_progress(None)
        else:
            self._show_progress(None)

    def _end_download_if_due(self, child: line_child.Child, now: float) -> None:
        rate = estimator.down(self._nic, self.payload, far=self.far_s > 0)
        tight = rate is not None and rate.spread <= _TIGHT and not self.long
        known = tight and now - self.phase_started >= _TIGHT_S + _BACK_TRIPS * self.far_s
        by = _SLOW_DOWN_BY if aligned(self._nic).refreshes else _DOWN_BY
        if known or self.pc.restarted or now - self.started >= self.max_seconds * by:
            child.stop("download")
            # The interface still receives what is on its way, which nobody reads.
            self.phase = "drain"
        self._show_progress(rate.mbps if rate else None)

    def _show_progress(self, mbps: float | None) -> None:
        if self.progress is not None:
            share = (time.perf_counter() - self.started) / self.max_seconds
            self.progress(phase=self.phase or "ask", share=min(1.0, share), mbps=mbps)

    def _out_of_time(self) -> _Failure:
        if not self.test:
            return "unreachable", "no_answer", ""
        return "too_slow", "not_in_time", f"{self.max_seconds:g} s"

    def _result(self) -> LineTest:
        base = LineTest(
            test=self.test, line=self.wish["line"], outcome="ok", window=self.wish["window"],
            seconds=round(time.perf_counter() - self.started, 3), long=self.long,
            interface=self.interface,
            wired=nics.kind(self.interface) == "wired" if self.interface else None,
            payload_down=self.payload_down if self.test else None,
            payload_up=self.payload_up if self.test else None,
        )  # fmt: skip
        failed = self.failed or self._cached()
        rate = None if failed else self._down()
        if failed or rate is None:
            outcome, reason, detail = failed or self._no_rate()
            return msgspec.structs.replace(
                base, outcome=outcome, reason=reason, detail=detail[:256]
            )
        return self._with_rates(base, rate)

    def _cached(self) -> _Failure | None:
        """More bytes than the server sent. Checked first: on a slow PC there may be no rate."""
        assert self.seen is not None
        if self.payload_down <= self.seen["sent_bytes"]:
            return None
        return "garbled", "cached", ""

    def _down(self) -> estimator.Down | None:
        assert self.seen is not None
        loaded, _ = estimator.latency(self.loaded_ms)
        frames = self.seen.get("down_frames") or ()
        lag = (loaded or 0.0) / 1000
        found = estimator.down(self._nic, self.payload, lag, frames, far=self.far_s > 0)
        if found is None or self.payload_down < _MIN_PAYLOAD or self._cut_early(found):
            return None
        return estimator.bounded(found, confirmed(self.seen["down"]))

    def _cut_early(self, found: estimator.Down) -> bool:
        """Whether the download, or its counter, ended before the line was full."""
        seconds = self._nic[-1][0] - self._nic[0][0]
        if (self.pc.restarted or self.pc.lost) and seconds < _RAMP_S:
            return True
        return self.far_s > 0 and (seconds < self._far_ramp_s or not estimator.even(found))

    @property
    def _far_ramp_s(self) -> float:
        """How long a far line's download must last at least, s; 0 on a near one."""
        return 0.9 * (_TIGHT_S + _BACK_TRIPS * self.far_s) if self.far_s else 0.0

    def _no_rate(self) -> _Failure:
        """Why a test that ended as planned has no rate."""
        if self.payload_down < _MIN_PAYLOAD:
            return "too_slow", "too_few_bytes", f"{self.payload_down} bytes"
        if not self.interface:
            return "no_counter", "no_interface", ""
        if self.pc.restarted:
            return "no_counter", "counter_restarted", self.interface
        if self.pc.looked_away(self.payload):
            return "too_slow", "too_few_readings", ""
        if self.pc.still or self.pc.lost:
            return "no_counter", "counter_still", self.interface
        if self.pc.moved and self.far_s > 0:  # what comes once a round trip looks like a slow one
            if self._nic[-1][0] - self._nic[0][0] < self._far_ramp_s:
                return "too_slow", "ramp_unfinished", f"{self.far_s:.1f} s"
            return "too_slow", "unfilled", f"{self.far_s:.1f} s"
        if aligned(self._nic).refreshes:
            return "no_counter", "counter_slow", self.interface
        return "too_slow", "too_few_readings", ""

    @property
    def _nic(self) -> list[Sample]:
        return self.pc.samples

    def _with_rates(self, base: LineTest, rate: estimator.Down) -> LineTest:
        assert self.seen is not None
        effort = self.pc.effort(self.seen.get("window_share"))
        frames = self.seen.get("up_frames") or ()
        up = estimator.up(self.seen["up"], frames, far=self.far_s > 0)
        idle, jitter = estimator.latency(self.idle_ms)
        loaded, _ = estimator.latency(self.loaded_ms)
        if up is not None and not up <= MAX_RATE:
            return msgspec.structs.replace(
                base, outcome="garbled", reason="bad_reply", detail=f"{up:g} Mbit/s up"
            )
        result = msgspec.structs.replace(
            base,
            down_mbps=round(rate.mbps, 4),
            down_low=round(rate.low, 4),
            down_high=round(rate.high, 4),
            up_mbps=None if up is None else round(up, 4),
            latency_ms=idle,
            jitter_ms=jitter,
            loaded_ms=loaded,
            solo=self.seen["solo"],
            other_share=round(rate.other_share, 4),
            server_limited=self.seen["server_limited"],
            burst=rate.burst,
            loss_share=self.seen.get("loss_share"),
            nic_mbps=nics.link_mbps(self.interface),
            pc_limited=effort.limited or self.pc.looked_away(self.payload),
            pc_busy=round(effort.pc_busy, 3),
            test_core=round(effort.test_core, 3),
        )
        return msgspec.structs.replace(result, reason=invalid_because(result, self.interface))
