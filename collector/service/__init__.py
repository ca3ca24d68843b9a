"""The collector as a service: MQTT in, store, receipts out."""

from collector.service.collector import Collector

__all__ = ["Collector"]
