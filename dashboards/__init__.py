"""Python that builds the Grafana boards.

Names of measurements and fields come from `collector.schema` and are checked while building;
the built JSON stands in dashboards/built and a test holds it against drift.
"""
