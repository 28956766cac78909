"""What the session offers beside its console; each module enters its own methods, routes and listeners."""

from rsession.service_api import ServiceApi
from rsession.services import (
    completion,
    document_methods,
    editor_view,
    environment,
    files,
    history,
    plots,
    temporary_folders,
)
from rsession.services.documents import Documents
from rsession.services.start_r import start_r


def register(api: ServiceApi) -> Documents:
    """Enter all services, once, before R's first prompt is announced; the open documents."""
    started = start_r(api)
    plots.register(api, started)
    environment.register(api)
    completion.register(api)
    documents = document_methods.register(api)
    editor_view.register(api)
    files.register(api)
    history.register(api)
    temporary_folders.register(api)
    return documents
