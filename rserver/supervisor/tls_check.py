"""Whether the certificates that the options name can be used, for --test-config: nothing is started or written."""

import os
from itertools import zip_longest
from pathlib import Path

from rserver.supervisor import tls_files
from rserver.supervisor.exit_codes import StartRefused
from rserver.supervisor.places import Places
from rserver_core.config_errors import ConfigError, ConfigErrors
from rserver_core.options.rserver import RserverSettings

PLACE = "certificates"


def check(settings: RserverSettings) -> list[str]:
    """Sentences of warning; ConfigErrors with every certificate that cannot be used."""
    pairs = list(zip_longest(settings.ssl_certificate, settings.ssl_certificate_key, fillvalue=""))
    if not settings.ssl_enabled or not pairs:
        return []
    if os.geteuid() != 0 and not settings.auth_none:
        return ["the certificates are not looked at: only root may read them"]
    warnings, errors = list[str](), list[ConfigError]()
    for certificate, key in pairs:
        one = settings._replace(ssl_certificate=(certificate,), ssl_certificate_key=(key,) if key else ())
        try:
            tls_files.read(one, Path(os.devnull), Places.resolve(settings).worker, warnings.append)
        except StartRefused as refused:
            errors.append(ConfigError(PLACE, "", str(refused)))
    if errors:
        # A password that cannot be read is the same for all of them.
        raise ConfigErrors(dict.fromkeys(errors))
    return warnings
