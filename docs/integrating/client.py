"""A client of a department's service, made from the published contracts alone.

    minsheng contracts --out contracts
    pip install grpcio grpcio-tools grpcio-reflection googleapis-common-protos
    mkdir stubs
    python -m grpc_tools.protoc -I contracts --python_out=stubs --grpc_python_out=stubs $(find contracts -name '*.proto')
    PYTHONPATH=stubs python docs/integrating/client.py ADDRESS PKI_DIRECTORY

ADDRESS is HOST:PORT of the health service, as `minsheng demo --serve` prints it; PKI_DIRECTORY holds `ca.pem` and
`health/cert.pem`, `health/key.pem`. It records two institutions of its own and files a figure, so try it on a demo.
"""

import datetime
import pathlib
import sys
import time
import uuid

import grpc
from google.protobuf import field_mask_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from minsheng.common.v1 import common_pb2
from minsheng.health.v1 import institution_service_pb2 as health
from minsheng.health.v1 import institution_service_pb2_grpc as health_grpc
from minsheng.returns.v1 import catalogue_service_pb2 as catalogue
from minsheng.returns.v1 import catalogue_service_pb2_grpc as catalogue_grpc
from minsheng.returns.v1 import return_service_pb2 as returns
from minsheng.returns.v1 import return_service_pb2_grpc as returns_grpc

AREA = "540102"


def connect(address, pki, department):
    """Opens a channel as a department: both sides show a certificate of the same authority."""
    pki = pathlib.Path(pki)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=(pki / "ca.pem").read_bytes(),
        private_key=(pki / department / "key.pem").read_bytes(),
        certificate_chain=(pki / department / "cert.pem").read_bytes(),
    )
    # Errors come in trailers of up to 8 KiB.
    return grpc.secure_channel(address, credentials, options=[("grpc.max_metadata_size", 16 * 1024)])


class Refusal(Exception):
    """An error of the service, with what its details say."""

    def __init__(self, error):
        super().__init__(error.details())
        self.code = error.code()
        self.reason, self.metadata, self.violations, self.retry_after = "", {}, [], 0.0
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                for detail in status_pb2.Status.FromString(value).details:
                    self._read(detail)

    def _read(self, detail):
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            self.reason, self.metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            self.violations = [(found.field, found.reason, found.description) for found in bad.field_violations]
        elif detail.Unpack(retry):
            self.retry_after = retry.retry_delay.ToTimedelta().total_seconds()


def call(method, request, attempts=4):
    """Calls, and calls again with the same request what may succeed then.

    A request that changes something is the same request as long as its `request_id` is: it is carried out once.
    """
    pause = 0.1
    for attempt in range(attempts):
        try:
            return method(request, timeout=10)
        except grpc.RpcError as error:
            refusal = Refusal(error)
        again = refusal.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
        if not (again or refusal.reason == "CONCURRENT_CHANGE") or attempt + 1 == attempts:
            raise refusal
        time.sleep(max(pause, refusal.retry_after))
        pause *= 2
    raise AssertionError("an attempt answers or raises")


def update(stub, name, etag, change):
    """Changes some fields of an institution; of a record that somebody else changed meanwhile, the present version."""
    while True:
        request = health.UpdateInstitutionRequest(
            request_id=str(uuid.uuid4()),
            institution=health.Institution(name=name, **change),
            etag=etag,
            update_mask=field_mask_pb2.FieldMask(paths=list(change)),
        )
        try:
            return call(stub.UpdateInstitution, request).institution
        except Refusal as refusal:
            if refusal.reason != "ETAG_MISMATCH":
                raise
            # What somebody else wrote is to be looked at before it is overwritten; these fields are ours alone.
            etag = refusal.metadata["etag"]
            print(f"etag: {refusal.code.name}, now {etag}")


def upload(stub, upload_id, chunks):
    """Uploads chunks of items; goes on, after a cut, from the first chunk that was not answered."""
    answers = {}
    for _ in range(5):
        left = [number for number in range(len(chunks)) if number not in answers]
        requests = (
            health.UploadInstitutionsRequest(upload_id=upload_id, chunk=number, institutions=chunks[number])
            for number in left
        )
        try:
            for answer in stub.UploadInstitutions(requests):
                answers[answer.chunk] = list(answer.results)
            return answers
        except grpc.RpcError as error:
            refusal = Refusal(error)
            if refusal.code != grpc.StatusCode.UNAVAILABLE and refusal.reason != "CONCURRENT_CHANGE":
                raise refusal from error
            time.sleep(0.5)
    raise TimeoutError("the upload was cut too often; send it again under the same upload_id")


def pages(method, request, field):
    """Yields what a list holds, page by page."""
    while True:
        page = call(method, request)
        yield from getattr(page, field)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def institution(title, **more):
    """Makes an institution."""
    return health.Institution(
        area=AREA,
        title=title,
        institution_class=health.INSTITUTION_CLASS_GENERAL_HOSPITAL,
        operating_from=common_pb2.Date(year=2020, month=1, day=1),
        **more,
    )


def keep_institutions(stub, run):
    """Records, changes and uploads institutions."""
    wrong = health.CreateInstitutionRequest(
        request_id=str(uuid.uuid4()), institution=health.Institution(area="5401")
    )
    try:
        call(stub.CreateInstitution, wrong)
    except Refusal as refusal:
        for field, reason, description in refusal.violations:
            print(f"refused: {field} {reason} {description}")
    request = health.CreateInstitutionRequest(
        request_id=str(uuid.uuid4()), institution=institution(f"演示医院{run}", name=f"institutions/c-{run}")
    )
    created = call(stub.CreateInstitution, request).institution
    again = call(stub.CreateInstitution, request).institution
    print("created:", "once" if again == created else "twice")
    changed = update(stub, created.name, created.meta.etag, {"level": 2})
    # The etag that we read first is an old one by now.
    changed = update(stub, changed.name, created.meta.etag, {"public": True})
    print("updated:", changed.level, changed.public)
    chunks = [[institution(f"演示医院{run}-{chunk}-{item}") for item in range(3)] for chunk in range(4)]
    upload_id = str(uuid.uuid4())
    first = upload(stub, upload_id, chunks[:2])
    answers = upload(stub, upload_id, chunks)
    print("resumed:", "the same" if all(answers[chunk] == first[chunk] for chunk in first) else "others")
    names = {result.name for results in answers.values() for result in results}
    request = health.ListInstitutionsRequest(area=AREA, page_size=5)
    listed = {found.name for found in pages(stub.ListInstitutions, request, "institutions")}
    print("listed:", len(names | {created.name}), "of", len((names | {created.name}) & listed))


def file_figure(channel):
    """Files last month's figure for the first commitment of which the department files a single number."""
    request = catalogue.ListCommitmentsRequest(department="health", page_size=10)
    known = list(pages(catalogue_grpc.CatalogueServiceStub(channel).ListCommitments, request, "commitments"))
    print("catalogue:", len(known), "commitments of", ", ".join({commitment.department for commitment in known}))
    commitment, measure = next(
        (commitment, measure)
        for commitment in known
        for measure in commitment.measures
        if measure.form == catalogue.MEASURE_FORM_FIGURE and not commitment.scope
    )
    last_month = datetime.date.today().replace(day=1) - datetime.timedelta(days=1)
    figure = returns.Return(
        area="540000",
        commitment=commitment.id,
        measure=measure.name,
        month=common_pb2.YearMonth(year=last_month.year, month=last_month.month),
        numerator=7,
        unit=measure.unit,
        source="monthly return",
        filed_by="0107",
    )
    request = returns.SubmitReturnsRequest(request_id=str(uuid.uuid4()), returns=[figure])
    for result in call(returns_grpc.ReturnServiceStub(channel).SubmitReturns, request).results:
        print("filed:", common_pb2.ItemOutcome.Name(result.outcome), result.name)


def main():
    """Does one of each."""
    address, pki = sys.argv[1:3]
    with connect(address, pki, "health") as channel:
        print("services:", *sorted(ProtoReflectionDescriptorDatabase(channel).get_services()))
        keep_institutions(health_grpc.InstitutionServiceStub(channel), uuid.uuid4().hex[:8])
        file_figure(channel)


if __name__ == "__main__":
    main()
