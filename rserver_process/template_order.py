"""What a template of sessions is told when it is started: one frame on its descriptor 3."""

from dataclasses import asdict, dataclass
from typing import Any

from rserver_core.r_installation import RInstallation
from rserver_process.keeper_settings import KeeperSettings

CHANNEL = 3


@dataclass(frozen=True, slots=True)
class TemplateOrder:
    """Everything that the keepers forked there need. pam_service None: sessions run without PAM."""

    settings: KeeperSettings
    run_dir: str
    pam_service: str | None
    installation: RInstallation

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {
            "settings": asdict(self.settings),
            "run_dir": self.run_dir,
            "pam_service": self.pam_service,
            "installation": self.installation._asdict(),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "TemplateOrder":
        """From a process that is trusted: ours."""
        settings, installation = value["settings"], value["installation"]
        return cls(
            KeeperSettings(**{**settings, "program": tuple(settings["program"])}),
            value["run_dir"],
            value["pam_service"],
            RInstallation(**{**installation, "variables": tuple(map(tuple, installation["variables"]))}),
        )
