"""What the administrator and the server decide about keeping objects."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rserver_core.options.rsession import RsessionSettings


@dataclass(frozen=True)
class WorkspaceSettings:
    """Taken from rsession's options."""

    restores: bool = True
    checkpoint_seconds: float = 300.0
    """0: no checkpoints."""
    limit_bytes: int = 0
    """0: no limit."""
    compresses: bool = True

    @classmethod
    def of(cls, settings: "RsessionSettings") -> "WorkspaceSettings":
        """From the options of the process."""
        return cls(
            settings.r_restore_workspace,
            settings.session_checkpoint_minutes * 60.0,
            settings.session_workspace_limit_mb << 20,
            settings.session_workspace_compression == "lz4",
        )
