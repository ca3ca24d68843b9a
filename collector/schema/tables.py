"""Every measurement, tag and field that the store holds, with unit and meaning.

Names and types here are an interface: boards, exports and archives read them. docs/schema.md
is made from this table by `collector.schema.page`. "code of X" names a table of `codes`.
"""

from __future__ import annotations

from collector.schema import counts
from collector.schema.types import Field, Measurement, Retention, Type
from collector.schema.types import measurement as _measurement

__all__ = ["MEASUREMENTS", "TAGS", "Field", "Measurement", "Retention", "Type"]

TAGS = {
    "school": "学校标识码, 10 digits",
    "machine": "machine id, 32 hex digits",
    "kind": "kind of device: code of KINDS",
    "device": "hash of machine, kind and connector, 16 hex digits",
    "line": "the line's name in the register",
    "district": "code of the responsible unit in the register, in force that day",
    "room": "the room's id in the register, in force that day; empty: not bound",
    "area": "code of the city, a district or a school",
    "indicator": "code of INDICATORS, or an id of the settings",
}


_RAW = """
simulated bool - true: invented, no real machine said it
uncertain bool - true: the time is that of a clock nobody could correct; never evidence
"""
_SIMULATED = """
simulated bool - true: derived from at least one invented row
"""


def _derived(name: str, tags: str, point: str, rows: str) -> Measurement:
    """What the keeper computes: the values of a row change while its time stays."""
    return _measurement(name, "evidence", tags, point, rows + _SIMULATED, derived=True)


_ALL = (
    _measurement("host", "telemetry", "school machine", "one PC's reading", """
cpu_percent float % processor time in use since the reading before
memory_total int bytes memory built in
memory_used int bytes memory in use
disk_total int bytes size of the system's disk
disk_used int bytes of it in use
uptime_s float s since the system's boot
received_bytes int bytes received by the physical interfaces since the system's boot
sent_bytes int bytes sent by the physical interfaces since the system's boot
link_mbps float Mbit/s speed of the fastest interface that is up
wired bool - whether an interface with a cable is up
hostname str - the PC's name
os str - operating system
os_version str - its version
maker str - who made the PC
model str - its model
cpu str - its processor
cores int cores logical processors
firmware_date str - date of the firmware
serial str - the PC's serial, where it is usable
disks str - its disks, by semicolon
""" + _RAW),
    _measurement("device", "telemetry", "school machine kind device", "one device's reading", """
present! bool - whether the PC sees it
power str - code of POWERS
fault! str - codes of FAULTS by comma, empty when nothing is wrong
connector str - where it is attached
name str - as the device names itself
maker str - who made it
model str - its model
serial str - its serial, where it is usable
serial_number str - the number in its EDID beside a serial in letters, whatever it is
width_cm int cm width of the picture
height_cm int cm height of the picture
note str - codes of NOTES by semicolon: what could not be read, and why
connection str - how it is attached: HDMI, DisplayPort, DVI, VGA, USB, internal or network
room str - the room it stands in, if not its PC's
input str - what a projector shows
muted bool - whether its picture or sound is muted
lamp_hours int h of the lamp that burnt longest
filter_hours int h since the filter was cleaned
year int - it was made, or its model came out
week int - of that year in which it was made
""" + _RAW),
    _measurement("agent", "telemetry", "school machine", "one report", """
boot! str - which start of the agent, 16 hex digits
number! int - the report's number within that boot
version str - the agent's version
offset_ms int ms corrected time minus the PC's own clock
late_days int days whole days from the report to its arrival, where there are any
rss_bytes int bytes memory that the agent holds
cpu_s float s processor time of the agent since its start
uptime_s float s since the agent's start
outbox_rows int reports waiting for a receipt
outbox_bytes int bytes waiting for a receipt
dropped_telemetry int reports dropped by a full outbox; this and the next three: none where 0
dropped_evidence int reports with evidence dropped by a full outbox
set_aside int reports of another machine found in the outbox, never sent
lost int reports that a damaged outbox could not give back
failed_probes str - probes that failed, by comma
room str - the room that the PC's own config claims
weak_id bool - true: no hardware source could be read; no computer-room evidence; else none
evidence bool - true: the report held evidence
probes str - probes that ran well, by comma
sources str - of the machine id, as name=digest, by comma
policy_error str - why the newest policy is not followed, empty when it is
update str - how far the update of the agent is, state:version or failed:reason:version
""" + _RAW),
    _measurement("presence", "telemetry", "school machine", "one change of presence", """
boot! str - which start of the agent
online! bool - online, or offline by last will
""" + _RAW),
    *counts.ALL,
    _measurement("line_test", "evidence", "school machine line", "the agent's test of a line", """
test str - id granted by the measurement server
outcome! str - code of OUTCOMES
down_mbps float Mbit/s rate on the wire, down
up_mbps float Mbit/s rate on the wire, up
down_low float Mbit/s lower end of the interval of the down rate
down_high float Mbit/s upper end of the interval of the down rate
latency_ms float ms to the measurement server, line idle
loaded_ms float ms to the measurement server, line loaded
jitter_ms float ms variation of the idle latency
payload_down int bytes of payload that came down
payload_up int bytes of payload that went up
seconds float s how long the test ran
interface str - interface that the test ran over
wired bool - whether that interface has a cable
solo bool - whether it was the line's only test
other_share float - share of other local traffic, 0 to 1
server_limited bool - whether the server was the bottleneck
reason str - codes of REASONS by comma: why the test is not valid, empty when it is
detail str - what else is known of the reason, as the system or the server said it
window str - which of the day's tests it was; empty: asked for by hand
long bool - ran to its limits, as once a week
burst bool - the line slowed down for good during the test; the rate is the later one
loss_share float - share of the segments down that were sent again, 0 to 1
nic_mbps float Mbit/s the cable's own rate
pc_limited bool - whether the PC held it back: busy, its windows full, or its interface not read
pc_busy float - share of all cores that was busy during the download, 0 to 1
test_core float - cores that the test's processes used during the download
late_days int days whole days from the report to its arrival, where there are any
""" + _RAW),
    _measurement("line_record", "evidence", "school machine line", "the server's record of it", """
test str - id granted by the measurement server
outcome! str - ok, abandoned or expired
sent_bytes int bytes of payload sent by the server
received_bytes int bytes of payload received by the server
down_mbps float Mbit/s payload rate that the server saw, down
up_mbps float Mbit/s payload rate that the server saw, up
seconds float s how long the test ran
solo bool - whether no other test of the line overlapped
server_limited bool - whether the server was the bottleneck
address str - where the test came from, by its connections; shown as its network only
late_days int days whole days from the record to its arrival, where there are any
""" + _RAW),
    _derived("machine_day", "school district room machine", "a PC's day", """
seen bool - a certain report of that day arrived
first_ms int ms time of the day's first report, since 1970 UTC
last_ms int ms time of the day's last report, since 1970 UTC
reports int - reports of that day
weak_id bool - no computer-room evidence
shared_id bool - two PCs used the id at once that day; no computer-room evidence
shared_sources str - the hardware sources of that id, as name=digest, by comma
hours int - the hours in which it reported, as bits: 1 for 0:00, 2 for 1:00, 4 for 2:00, ...
boots int - starts of the agent that day
hostname str - the PC's name, as last known that day
claimed str - the room that the PC's own config claims
version str - the agent's version, as last reported that day
offset_ms int ms corrected time minus the PC's own clock, as last reported that day
outbox_rows int reports waiting for a receipt, as last reported that day
first_received int bytes received by the physical interfaces, at the day's first reading
first_uptime_s float s since the agent's start, at the day's first report
late bool - a report of that day arrived 7 days or more after its time
"""),
    _derived(
        "device_day", "school district room machine kind device", "a device's day", """
seen bool - present at least once that day
missing bool - found missing that day: absent while its PC reported, and not off
fault bool - at least one fault that day
first_ms int ms first reading that saw it, since 1970 UTC
last_ms int ms last reading that saw it, since 1970 UTC
maker str - who made it
model str - its model
serial str - its serial, where it is usable
connector str - where it is attached
lamp_hours int h of the lamp that burnt longest, the day's highest
own_room str - the room that it was given, if not its PC's
sightings str - displays seen there: identity:kind:first-last second+..., by comma
presence str - code of PRESENCES: where the day ends, by what was confirmed
presence_ms int ms since when, since 1970 UTC
presence_doubt str - what is seen against it and not confirmed, @ since when
health str - where the day ends: well, fault or unknown, by what was confirmed
health_ms int ms since when, since 1970 UTC
health_doubt str - what is seen against it and not confirmed, @ since when
fault_text str - codes of FAULTS by comma: the last fault
power str - code of POWERS: where the day ends
power_ms int ms since when, since 1970 UTC
power_told bool - whether it ever reported its power
used_ms int ms last seen on, since 1970 UTC; 0: never
looked_ms int ms last reading, since 1970 UTC
returned_ms int ms last return from an absence of less than a day, since 1970 UTC; 0: never
returned_before_ms int ms the return before that
away_days int days it was absent on since the day on which it was switched off
"""),
    _derived("room_day", "school district room", "a room's day", """
pcs int PCs distinct PCs with a strong id that reported
together int PCs most PCs with a strong id that reported in one same hour, their spans overlapping
weak_pcs int PCs distinct PCs with a weak or shared id that reported
seats int - registered seats in force that day
computer bool - a PC reported
display bool - a projector, panel or TV was seen
displays int - how many were seen
display_ids str - the displays seen: identity:kind:half hours in hex, by comma
sound bool - a sound output was seen
microphone bool - a microphone was seen
camera bool - a camera was seen
missing int - devices missing
faults int - devices with a fault
"""),
    _derived("event", "school district room machine kind device", "a change", """
event str - code of EVENTS; withdrawn: a late report has shown that it was none
detail str - of a fault and its repair: codes of FAULTS by comma
"""),
    _derived("school_hour", "school district", "a registered school's hour", """
pcs int PCs distinct PCs that reported
reports int - reports
missing int - devices missing
faults int - devices with a fault
open bool - whether the school was open in that hour
"""),
    _derived("school_day", "school district", "a registered school's day", """
name str - the school's name
district_name str - the responsible unit's name
latitude float deg of the school's first campus
longitude float deg of the school's first campus
open bool - whether it was an open day
pcs int PCs distinct PCs that reported
classes int - classes registered
classes_verified int - classes verified or inspected
computer_room str - code of VERDICTS
line str - code of VERDICTS
multimedia str - code of VERDICTS: the worst of its classes
line_100 str - code of VERDICTS; this and the next where the settings have that indicator
line_1000 str - code of VERDICTS
connected str - code of VERDICTS
all_classes str - code of VERDICTS
any_room str - code of VERDICTS
resource_package str - code of VERDICTS
teacher_space str - code of VERDICTS: the worst of its teachers
display_rooms str - the displays seen that day: their rooms by identity, as JSON
ids_beyond int - machine ids beyond what registered seats and rooms explain
ids_alike int - machine ids with equal counters, uptimes or milliseconds
ids_unnamed int - machine ids that have not said which PC they are
ids_late int - machine ids of which a report arrived 7 days or more after its time
"""),
    _derived("line_day", "school district line", "a line's day", """
contract_mbps float Mbit/s registered
p90_mbps float Mbit/s 90th percentile of the window's valid quiet tests
median_mbps float Mbit/s median of the same
lesson_mbps float Mbit/s median of the window's valid tests in lessons
tests int - valid quiet tests in the window
days int - days on which they fell
verdict str - code of VERDICTS
congested bool - meets, with a median below the threshold
"""),
    _derived("indicator", "area district indicator", "a share on that day", """
level str - city, district or school
name str - the area's name
code str - by which the tags of other measurements name it
label str - its name and that code, as boards offer it
all int - units
verified int - units verified
inspected int - units inspected
declared int - units declared
contradicted int - units contradicted
short int - units short
unknown int - units unknown
verified_share float % 核实率, as shown
reported_share float % 上报率, as shown
ceiling_share float % ceiling, as shown
unknown_share float % unknown, as shown
target float % the target compared with
"""),
)  # fmt: skip

MEASUREMENTS = {measurement.name: measurement for measurement in _ALL}
