"""Reads a lake with stock tools: Delta tables in DuckDB.

    pip install duckdb duckdb-extension-delta
    python3 docs/read_lake.py LAKE
    python3 docs/read_lake.py LAKE "SELECT * FROM attainment WHERE area = '540000'" > figures.csv

Without a query, the tables are listed. With one, every table is there by its name with `_` for the dot, as
`health_institutions`, and so are the views of `analytics/sql/attainment.sql`, or of another file that is named behind it.
"""

import pathlib
import sys

import duckdb
import duckdb_extension_delta

VIEWS = pathlib.Path(__file__).parent.parent / "analytics" / "sql" / "attainment.sql"


def tables(lake):
    """Returns the directories of a lake's tables."""
    return sorted(log.parent for log in pathlib.Path(lake).glob("*/_delta_log"))


def connect(lake):
    """Opens a connection to a copy of a lake's tables; a view over `delta_scan` would read one again for each measure."""
    connection = duckdb.connect()
    extension = next(pathlib.Path(duckdb_extension_delta.__file__).parent.glob("**/delta.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'; SET TimeZone = 'UTC'")
    for table in tables(lake):
        name = table.name.replace(".", "_")
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM delta_scan('{table}')")
    return connection


def main():
    """Lists the tables, or prints what a query gives as CSV."""
    lake = sys.argv[1]
    connection = connect(lake)
    if len(sys.argv) == 2:
        for table in tables(lake):
            name = table.name.replace(".", "_")
            print(table.name, connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0], "rows")
        return
    connection.execute((pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else VIEWS).read_text())
    connection.execute(f"COPY ({sys.argv[2]}) TO '/dev/stdout' (FORMAT csv, HEADER)")


if __name__ == "__main__":
    main()
