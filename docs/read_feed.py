"""Reads a department's data product with a stock Arrow Flight client.

    pip install pyarrow
    python3 docs/read_feed.py ADDRESS PKI_DIRECTORY [DATASET [CURSOR]]

ADDRESS is HOST:PORT of a service, as `minsheng demo --serve` prints it. Without a dataset, all are listed.
"""

import json
import pathlib
import sys

import pyarrow
import pyarrow.flight as flight


def connect(address, pki):
    """Opens a client as analytics, with mutual TLS."""
    pki = pathlib.Path(pki)
    return flight.FlightClient(
        f"grpc+tls://{address}",
        tls_root_certs=(pki / "ca.pem").read_bytes(),
        cert_chain=(pki / "analytics" / "cert.pem").read_text(),
        private_key=(pki / "analytics" / "key.pem").read_text(),
    )


def read(client, dataset, cursor=""):
    """Returns the rows behind a cursor as a table, and the position to go on from."""
    ticket = flight.Ticket(json.dumps({"dataset": dataset, "cursor": cursor}))
    reader = client.do_get(ticket)
    batches, position = [], None
    while True:
        try:
            chunk = reader.read_chunk()
        except StopIteration:
            break
        if chunk.app_metadata is not None:
            position = json.loads(chunk.app_metadata.to_pybytes())
        if chunk.data is not None and chunk.data.num_rows:
            batches.append(chunk.data)
    return pyarrow.Table.from_batches(batches, reader.schema), position


def main():
    """Lists the datasets, or reads one."""
    client = connect(*sys.argv[1:3])
    if len(sys.argv) == 3:
        for info in client.list_flights():
            print(info.descriptor.path[0].decode(), len(info.schema), "columns")
        return
    rows, position = read(client, *sys.argv[3:])
    print(rows.schema.to_string(show_field_metadata=False))
    print(rows.num_rows, "rows;", "go on from", json.dumps(position))
    for row in rows.slice(0, 3).to_pylist():
        print(row)


if __name__ == "__main__":
    main()
