"""Traces by OpenTelemetry, if an address for them is set (the extra ``telemetry``)."""

from __future__ import annotations

from smallhours.domain.errors import SettingsError
from smallhours.serve.gateway.observe import Span


def spans(endpoint: str) -> Span:
    """Opens spans that are sent to an OTLP endpoint in the background; they carry route and status alone.

    Raises:
        SettingsError: the packages are not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError(
            "gateway.telemetry: needs OpenTelemetry; install it with: pip install 'smallhours[telemetry]'"
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "smallhours"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    tracer = provider.get_tracer("smallhours.gateway")

    def span(name: str):  # type: ignore[no-untyped-def]
        # An exception's words may be a person's, so none is recorded.
        return tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)

    return span
