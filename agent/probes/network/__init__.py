"""Devices on the network: projectors over PJLink, printers and panels over SNMP."""
