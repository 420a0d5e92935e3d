"""Reads a table with each engine, at some versions; prints as JSON what each found.

    python3 read_table.py TABLE VERSION...
"""

import json
import pathlib
import sys

import deltalake
import duckdb
import duckdb_extension_delta
import polars

INSTANT = "_recorded_at"


def with_deltalake(table, versions):
    """Returns numbers of rows by version, and an instant in microseconds."""
    rows = {version: deltalake.DeltaTable(table, version=version).to_pyarrow_table().num_rows for version in versions}
    now = deltalake.DeltaTable(table).to_pyarrow_table().sort_by("_position")
    return {"rows": rows, "recorded_at": now[INSTANT].cast("int64")[0].as_py()}


def with_polars(table, versions):
    """Returns the same."""
    count = polars.len()
    rows = {version: polars.scan_delta(table, version=version).select(count).collect().item() for version in versions}
    now = polars.read_delta(table).sort("_position")
    return {"rows": rows, "recorded_at": now[INSTANT].dt.epoch("us")[0]}


def with_duckdb(table, versions):
    """Returns the same."""
    connection = duckdb.connect()
    extension = next(pathlib.Path(duckdb_extension_delta.__file__).parent.glob("**/delta.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'; SET TimeZone = 'Asia/Shanghai'")
    one = lambda query: connection.execute(query).fetchone()[0]
    rows = {version: one(f"SELECT COUNT(*) FROM delta_scan('{table}', version = {version})") for version in versions}
    return {"rows": rows, "recorded_at": one(f"SELECT epoch_us(MIN({INSTANT})) FROM delta_scan('{table}')")}


def main():
    """Prints what each engine found."""
    table, versions = sys.argv[1], [int(version) for version in sys.argv[2:]]
    cursor = deltalake.DeltaTable(table).metadata().configuration["minsheng.cursor"]
    found = {"cursor": cursor}
    for read in (with_deltalake, with_polars, with_duckdb):
        found[read.__name__.removeprefix("with_")] = read(table, versions)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
