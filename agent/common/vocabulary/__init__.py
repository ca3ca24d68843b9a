"""What users read, in Chinese and English: one word for each thing, in one place.

The store and the wire hold codes in snake_case; here is the word of each. Terminal, report,
boards and alert rules take their words from these modules and from nowhere else.

    words         a text in both languages, and how codes become words
    verdicts      the six verdicts: name, name for a narrow column, meaning
    indicators    the three indicators and their shares; titles are made from the threshold
    targets       which share a document asks for, by which year, at which threshold
    thresholds    when a line meets the threshold, and what makes a test no evidence
    reasons       why a line test is no evidence or has no rate; its outcomes
    lines         the columns of a line
    devices       kinds, connections, powers, faults, notes of equipment
    states        what becomes of a device: presence, use, events, differences from the register
    counters      what the collector and the broker count
    held          why a report is held, and what ends it
    schools       types of schools

A code that a newer version wrote is shown as it is. Sentences that older versions wrote into
the store are read as the codes that replaced them (`reasons.OLD`, `devices.OLD`).
"""
