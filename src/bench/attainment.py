"""Computes all commitments of a lake by the shipped views in DuckDB; prints seconds, the most memory, and the cells.

    python3 attainment.py LAKE VIEWS [THREADS]

Seconds are those of reading the tables and of the views, as the statistics read their files too.
"""

import json
import pathlib
import resource
import sys
import time

import duckdb
import duckdb_extension_delta


def main():
    """Prints one line of JSON."""
    lake, views = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    connection = duckdb.connect()
    extension = next(pathlib.Path(duckdb_extension_delta.__file__).parent.glob("**/delta.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'; SET TimeZone = 'UTC'")
    began = time.monotonic()
    for log in sorted(lake.glob("*/_delta_log")):
        table = log.parent
        name = table.name.replace(".", "_")
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM delta_scan('{table}')")
    connection.execute(views.read_text())
    connection.execute("CREATE TABLE found AS SELECT * FROM attainment")
    seconds = time.monotonic() - began
    cells = connection.execute("SELECT COUNT(*) FROM found").fetchone()[0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cells": cells, "seconds": seconds, "peak_mebibytes": peak}))


if __name__ == "__main__":
    main()
