"""Reads a report's SDMX files with sdmx1 and prints what each holds, as JSON.

    python3 read_sdmx.py attainment.sdmx.csv attainment.sdmx.json

The reader of JSON speaks version 1.0: three parts of the message are moved to where that has them, and the names of
attributes' codes in other languages, which it does not take, are left out.
"""

import io
import json
import sys

from sdmx.model import v30
from sdmx.reader import csv as csv_reader
from sdmx.reader import json as json_reader

DIMENSIONS = ["COMMITMENT", "MEASURE", "AREA", "TIME_PERIOD"]


def structure():
    dsd = v30.DataStructureDefinition(id="ATTAINMENT")
    for order, name in enumerate(DIMENSIONS):
        dsd.dimensions.getdefault(id=name, order=order)
    for name in ["OBS_STATUS", "UNIT"]:
        dsd.attributes.getdefault(id=name)
    dsd.measures.getdefault(id="OBS_VALUE")
    return dsd


class Content(io.BytesIO):
    default_size = -1


def text(value):
    value = getattr(value, "value", value)
    return str(getattr(value, "id", value))


def told(message):
    found = []
    for data in message.data:
        for observation in data.obs:
            key = observation.key
            value = observation.value
            number = None if value in (None, "") else float(text(value))
            status = text(observation.attached_attribute["OBS_STATUS"])
            found.append([text(key[name]) for name in DIMENSIONS] + [number, status])
    return sorted(found, key=lambda one: one[:4])


def main():
    with open(sys.argv[1], "rb") as file:
        from_csv = csv_reader.Reader().convert(file, structure=structure())
    with open(sys.argv[2], "rb") as file:
        message = json.load(file)
    data = message["data"]
    former = {"header": message["meta"], "structure": data["structures"][0], "dataSets": data["dataSets"]}
    for attribute in (one for level in former["structure"]["attributes"].values() for one in level):
        for value in attribute["values"]:
            value.pop("names")
    from_json = json_reader.Reader().convert(Content(json.dumps(former).encode()))
    json.dump({"csv": told(from_csv), "json": told(from_json)}, sys.stdout)


main()
