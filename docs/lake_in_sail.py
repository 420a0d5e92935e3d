"""Computes the measures in Sail, an engine that speaks Spark's protocol; prints them as CSV.

    pip install pysail pyspark-client
    python3 docs/lake_in_sail.py LAKE analytics/sql/attainment.sql > figures.csv
"""

import csv
import os
import pathlib
import re
import sys

from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession


def main():
    """Creates the views over a lake's tables and prints what they give."""
    lake, views = map(pathlib.Path, sys.argv[1:3])
    server = SparkConnectServer(port=0)
    server.start(background=True)
    spark = SparkSession.builder.remote(f"sc://localhost:{server.listening_address[1]}").getOrCreate()
    for log in lake.glob("*/_delta_log"):
        name = log.parent.name.replace(".", "_")
        spark.read.format("delta").load(str(log.parent)).createOrReplaceTempView(name)
    text = re.sub("^--.*$", "", views.read_text(), flags=re.MULTILINE)
    for statement in filter(str.strip, text.split(";\n")):
        spark.sql(statement.strip().replace("CREATE OR REPLACE VIEW", "CREATE OR REPLACE TEMP VIEW"))
    rows = spark.sql("SELECT * FROM attainment")
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(rows.columns)
    out.writerows(rows.collect())
    sys.stdout.flush()
    # The server's threads outlive the interpreter's end and keep it waiting.
    os._exit(0)


if __name__ == "__main__":
    main()
