"""Devices on the network: projectors by PJLink, printers and panels by SNMP."""
