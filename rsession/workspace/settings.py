"""What the administrator and the server decide about keeping objects."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rsession.start import restart_note, skips_profile
from rsession.workspace.blockers import BlockerRules

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
    rules: BlockerRules = field(default_factory=BlockerRules)
    ephemeral_variables: tuple[str, ...] = ()
    """Environment variables that no later process gets."""
    skipped_profile: bool = False
    """R was started without the user's profile, because what that had set comes back from the store."""
    save_default: str = "ask"
    """Whether objects go to .RData at the end, where user and project do not say."""

    starts_without: bool = False
    """R was restarted to leave the objects aside that had come back after a crash."""
    after_restart: str | None = None
    """To be run at the first prompt; None: R was not restarted."""

    @classmethod
    def of(cls, settings: "RsessionSettings") -> "WorkspaceSettings":
        """From the options of the process."""
        note = restart_note(settings)
        return cls(
            settings.r_restore_workspace,
            settings.session_checkpoint_minutes * 60.0,
            settings.session_workspace_limit_mb << 20,
            settings.session_workspace_compression == "lz4",
            BlockerRules(
                settings.session_connections_block_suspend,
                settings.session_external_pointers_block_suspend,
                not settings.session_suspend_on_incomplete_statement,
                not settings.session_quit_child_processes_on_exit,
            ),
            settings.session_ephemeral_env_vars,
            skips_profile(settings),
            settings.session_save_action_default,
            note is not None and note.objects == "aside",
            note.command if note else None,
        )
