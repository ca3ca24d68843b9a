"""What the collector and the broker count of themselves, as measurements of the store."""

from __future__ import annotations

from collector.schema.types import measurement as _measurement

ALL = (
    _measurement("collector", "telemetry", "", "the collector's own counts", """
received int messages arrived since start
stored int reports stored since start
receipted int reports named in receipts that left since start
duplicates int reports that had been stored before, as far as remembered
held int reports held since start
held_unknown_school int of them of schools that the register lacks
held_future_version int of them of a later version than the collector
held_quarantine_full int of them unreadable, while the quarantine was full
held_time_out_of_bounds int of them dated over 60 days back or an hour ahead
held_simulated int of them simulated
held_unknown_line int of them tests of lines that the register lacks
held_too_many_machines int of them of PCs beyond their school's limit
held_too_many_devices int of them with more devices than their school can have
held_too_many_reports int of them beyond what their school may send
quarantined int messages quarantined since start
hellos int hellos answered since start
store_errors int writes that failed since start
queue int messages taken in and not yet stored
write_ms float ms the last batch's write
batch_ms float ms the last batch, from its first message's arrival to its receipts
oldest_s float s age of the oldest report in hand without a receipt
days str - local days that a batch of reports touched, by comma, for a keeper elsewhere (until 1.3)
noted str - day, time of the first report, schools, of a batch of reports, for a keeper elsewhere
keeper str - part and id of a keeper that is about to write rows
keeper_lag_s float s age of the oldest report whose rows are not derived yet
missing int reports of the last 24 h that nothing explains (the keeper's audit)
missing_pcs int PCs that they are missing from
clocks_off int PCs whose own clock is more than five minutes off
ahead_of_store_s float s how far the collector's clock is ahead of the database server's
ahead_of_pcs_s float s how far the collector's clock is ahead of the PCs' own, where most agree
calendar_days int d until the last term of the register's calendar ends
certificate_days int d until the first of the broker's and our CA's certificates expires
"""),
    _measurement("broker", "telemetry", "", "the broker's own counts ($SYS)", """
clients int - clients connected
dropped int messages dropped by the broker since its start
received int messages received by the broker since its start
"""),
)  # fmt: skip
