"""The messages of the wire, version 1.

A field added later needs a default; the name, type and unit of a field never change within a
version. Times are milliseconds since 1970 UTC unless the name says otherwise; rates are
megabits (10^6 bits) a second; sizes are bytes; an unknown value is null, never 0 or -1.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.common.calendar import Calendar
from agent.common.vocabulary.thresholds import THRESHOLD_MBPS
from agent.wire.release import ReleaseOffer
from agent.wire.renewal import CaDigest, Renewal, SaidGeneration

VERSION: Literal[1] = 1

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Millis = Annotated[int, Meta(ge=0, le=4_102_444_800_000)]  # up to the year 2100
Offset = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Percent = Annotated[float, Meta(ge=0.0, le=100.0)]
MAX_RATE = 1e7  # Mbit/s
Rate = Annotated[float, Meta(ge=0.0, le=MAX_RATE)]
Threshold = Annotated[float, Meta(gt=0.0, le=MAX_RATE)]
Seconds = Annotated[float, Meta(ge=0.0, le=1e9)]
PerDay = Annotated[int, Meta(ge=0, le=96)]  # tests of a line
Text = Annotated[str, Meta(max_length=256)]
# max_length: in Python a "$" also matches before a final newline.
Boot = Annotated[str, Meta(pattern="^[0-9a-f]{16}$", max_length=16)]
SchoolCode = Annotated[str, Meta(pattern="^[0-9]{10}$", max_length=10)]
MachineId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", max_length=32)]

DeviceKind = Literal[
    "screen",  # the internal panel of a laptop or all-in-one
    "display",  # an external display of unknown kind
    "monitor",
    "projector",
    "panel",
    "tv",
    "virtual_display",  # made by software; no equipment
    "sound",
    "microphone",
    "camera",
    "touch",
    "printer",
    "document_camera",
]
Power = Literal["on", "standby", "off", "unknown"]
LineOutcome = Literal[
    "ok", "unreachable", "refused", "busy", "too_slow", "aborted", "garbled", "no_counter"
]


class Nic(Struct, omit_defaults=True, frozen=True):
    """A network interface; counters since the system's boot."""

    name: Text
    up: bool
    kind: Literal["wired", "wifi", "loopback", "virtual", "other"] = "other"
    link_mbps: Rate | None = None
    sent_bytes: Count | None = None
    received_bytes: Count | None = None


class Inventory(Struct, omit_defaults=True, frozen=True):
    """Hardware and system of the machine; sent in the hello and repeated in report 2."""

    hostname: Text = ""
    os: Text = ""
    os_version: Text = ""
    maker: Text = ""
    model: Text = ""
    cpu: Text = ""
    cores: Count | None = None
    memory_bytes: Count | None = None
    disk_bytes: Count | None = None
    firmware_date: Text = ""
    agent_version: Text = ""
    weak_id: bool = False
    room: Text = ""
    serial: Text = ""
    disks: tuple[Text, ...] = ()


class Host(Struct, tag_field="reading", tag="host", omit_defaults=True, frozen=True):
    """The computer itself."""

    cpu_percent: Percent | None = None
    memory_total: Count | None = None
    memory_used: Count | None = None
    disk_total: Count | None = None
    disk_used: Count | None = None
    uptime_s: Seconds | None = None
    os: Text = ""
    nics: tuple[Nic, ...] = ()
    inventory: Inventory | None = None


class Device(Struct, tag_field="reading", tag="device", omit_defaults=True, frozen=True):
    """A piece of equipment attached to the computer."""

    kind: DeviceKind
    connector: Text
    present: bool = True
    power: Power = "unknown"
    fault: Text = ""  # codes by comma: agent.common.vocabulary.devices.FAULTS
    name: Text = ""
    maker: Text = ""
    model: Text = ""
    serial: Text = ""
    width_cm: Count | None = None
    height_cm: Count | None = None
    note: Text = ""  # codes by semicolon: agent.common.vocabulary.devices.NOTES
    connection: Text = ""  # HDMI, DisplayPort, DVI, VGA, USB, internal, network
    room: Text = ""  # its room, if not the PC's
    input: Text = ""  # the input that a projector shows
    muted: bool | None = None  # picture or sound
    lamp_hours: Count | None = None  # of the lamp with the most hours
    filter_hours: Count | None = None
    year: Count | None = None  # of manufacture, or of the model
    serial_number: Text = ""  # the EDID's number, fillers too: with all else it tells two apart
    week: Count | None = None  # of manufacture, in that year


class AgentHealth(Struct, tag_field="reading", tag="agent", omit_defaults=True, frozen=True):
    """The agent's own health; in every report."""

    version: Text
    rss_bytes: Count | None = None
    cpu_s: Seconds | None = None
    uptime_s: Seconds | None = None
    outbox_rows: Count = 0
    outbox_bytes: Count = 0
    dropped_telemetry: Count = 0
    dropped_evidence: Count = 0
    set_aside: Count = 0
    lost: Count = 0
    failed_probes: tuple[Text, ...] = ()
    room: Text = ""
    weak_id: bool = False
    probes: tuple[Text, ...] = ()  # that succeeded: a device they do not report is absent
    sources: tuple[Text, ...] = ()  # of the machine id, as name=digest, keyed by the school
    policy_error: Text = ""  # why the newest policy was refused
    update: Text = ""  # how far its update is: agent.common.vocabulary.updates


class LineTest(Struct, tag_field="reading", tag="line_test", omit_defaults=True, frozen=True):
    """One test of the line as the agent saw it. The report's time is the test's end."""

    test: Text
    line: Text
    outcome: LineOutcome
    down_mbps: Rate | None = None
    up_mbps: Rate | None = None
    down_low: Rate | None = None
    down_high: Rate | None = None
    latency_ms: Rate | None = None
    loaded_ms: Rate | None = None
    jitter_ms: Rate | None = None
    payload_down: Count | None = None
    payload_up: Count | None = None
    seconds: Seconds | None = None
    interface: Text = ""
    wired: bool | None = None
    solo: bool | None = None
    other_share: Share | None = None
    server_limited: bool | None = None
    reason: Text = ""  # codes by comma: agent.common.vocabulary.reasons
    window: Text = ""  # of the day's schedule; empty: started by hand
    long: bool = False  # ran to its limits, as once a week
    burst: bool = False  # the line slowed down for good during the test; the rate is the later one
    loss_share: Share | None = None  # segments down that were sent again
    detail: Text = ""  # what else is known of the reason, as the system or the server said it
    nic_mbps: Rate | None = None  # the cable's own rate
    pc_limited: bool | None = None  # held back by the PC; such a test can prove, never deny
    pc_busy: Share | None = None  # of all cores during the download
    test_core: Seconds | None = None  # of one core, by the test's processes; with threads over 1


class LineRecord(Struct, tag_field="reading", tag="line_record", omit_defaults=True, frozen=True):
    """The measurement server's record of one test. Accepted from school `lineserver` only."""

    test: Text
    school: SchoolCode
    machine: MachineId
    line: Text
    outcome: Literal["ok", "abandoned", "expired"]
    sent_bytes: Count = 0
    received_bytes: Count = 0
    down_mbps: Rate | None = None
    up_mbps: Rate | None = None
    seconds: Seconds | None = None
    solo: bool = True
    server_limited: bool | None = None  # whether the server was the bottleneck
    address: Text = ""  # where the test came from; several, where its connections differed


Reading = Host | Device | AgentHealth | LineTest | LineRecord


class Hello(Struct, tag_field="type", tag="hello", omit_defaults=True, frozen=True):
    """Report 1 of each boot: the sender and its clock. Never sealed, writes no point."""

    v: Literal[1]
    sent: Offset  # the PC's own clock at this sending, ms; may be years off
    inventory: Inventory = Inventory()
    simulated: bool = False
    credential: SaidGeneration = 0  # the generation that this connection logged in with
    ca: CaDigest = ""  # agent.wire.renewal.ca_digest of the CA file


class Report(Struct, tag_field="type", tag="report", omit_defaults=True, frozen=True):
    """A batch of readings taken at `time`."""

    v: Literal[1]
    time: Millis  # corrected, sealed at first sending
    readings: tuple[Reading, ...]
    offset_ms: Offset = 0  # corrected minus the PC's own clock
    sent: Offset | None = None  # the PC's own clock at sealing, echoed by the receipt
    uncertain: bool = False
    simulated: bool = False


Message = Hello | Report


class StoredRange(Struct, array_like=True, frozen=True):
    """Reports `first` to `last` of `boot` are stored, both ends included."""

    boot: Boot
    first: Count
    last: Count


class Held(Struct, array_like=True, frozen=True):
    """Report `number` of `boot` is not stored; send it again after `retry_s`."""

    boot: Boot
    number: Count
    reason: Annotated[str, Meta(max_length=40, pattern="^[a-z][a-z_]*$")]  # no closed list
    retry_s: Count


class Receipt(Struct, omit_defaults=True, frozen=True):
    """What the collector has stored, what it holds, and from when on it asks for resends."""

    v: Literal[1]
    now: Millis
    echo: Offset | None = None
    stored: tuple[StoredRange, ...] = ()
    held: tuple[Held, ...] = ()
    again_since: Millis | None = None
    renewal: Renewal | None = None


class Presence(Struct, omit_defaults=True, frozen=True):
    """Online, or offline by last will. Offline counts only for the boot last online."""

    v: Literal[1]
    boot: Boot
    online: bool
    simulated: bool = False


class LinePolicy(Struct, omit_defaults=True, frozen=True):
    """How one line is tested. Windows are drawn from the calendar's quiet and lesson hours."""

    line: Text
    server: Text = ""  # http://host:port of the city's measurement server
    contract_mbps: Rate | None = None
    quiet_per_day: PerDay = 3
    lesson_per_day: PerDay = 1
    max_seconds: Annotated[float, Meta(ge=1.0, le=120.0)] = 15.0
    max_bytes: Annotated[int, Meta(ge=1, le=2**63 - 1)] = 100_000_000
    month_bytes: Count = 20_000_000_000  # of the whole line, kept by the measurement server
    metered: bool = False  # whether scheduled tests run over a metered link


class Policy(Struct, omit_defaults=True, frozen=True):
    """The settings of a school's machines; merged from city, district, school and line."""

    v: Literal[1]
    school: SchoolCode
    issued: Millis
    report_s: Annotated[int, Meta(ge=5, le=86400)] = 300
    calendar: Calendar = Calendar()
    lines: tuple[LinePolicy, ...] = ()
    rooms: dict[str, str] = {}  # machine id or hostname pattern -> room
    room_lines: dict[str, str] = {}  # room -> line
    # Hardware sources to leave out of machine ids: a name, or name=digest for one value.
    exclude_sources: tuple[Text, ...] = ()
    threshold_mbps: Threshold = THRESHOLD_MBPS  # what the yearly figure asks of a line
    # Versions of the agent that PCs are to have; of several the first that is meant for a PC.
    releases: Annotated[tuple[ReleaseOffer, ...], Meta(max_length=8)] = ()
