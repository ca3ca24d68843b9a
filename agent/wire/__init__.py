"""The protocol between agent and collector: topics, messages, codec, ids.

Imports nothing of ours but `agent.common`, so either side can be changed without the other.
"""

from agent.common.calendar import CITY_TIME, Calendar, Hours
from agent.wire.codec import (
    MAX_PAYLOAD,
    FutureVersionError,
    UnreadableError,
    decode_message,
    decode_policy,
    decode_presence,
    decode_receipt,
    encode,
)
from agent.wire.ids import device_id, new_boot, point_time
from agent.wire.messages import (
    AgentHealth,
    Device,
    Held,
    Hello,
    Host,
    Inventory,
    LinePolicy,
    LineRecord,
    LineTest,
    Message,
    Nic,
    Policy,
    Presence,
    Reading,
    Receipt,
    Report,
    StoredRange,
)
from agent.wire.renewal import Renewal, ca_digest, certificates, school_of
from agent.wire.topics import LINESERVER, TopicError, parse_topic

__all__ = [
    "CITY_TIME",
    "LINESERVER",
    "MAX_PAYLOAD",
    "AgentHealth",
    "Calendar",
    "Device",
    "FutureVersionError",
    "Held",
    "Hello",
    "Host",
    "Hours",
    "Inventory",
    "LinePolicy",
    "LineRecord",
    "LineTest",
    "Message",
    "Nic",
    "Policy",
    "Presence",
    "Reading",
    "Receipt",
    "Renewal",
    "Report",
    "StoredRange",
    "TopicError",
    "UnreadableError",
    "ca_digest",
    "certificates",
    "decode_message",
    "decode_policy",
    "decode_presence",
    "decode_receipt",
    "device_id",
    "encode",
    "new_boot",
    "parse_topic",
    "point_time",
    "school_of",
]
