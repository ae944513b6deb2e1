"""A real disk of a few megabytes, that a test can fill. Where none may be mounted, the tests that need it say why."""

import errno
import shutil
import subprocess

import pytest

_PIECE = 1024 * 1024


class SmallDisk:
    """A tmpfs over a folder. `reason`: why there is none, for whoever runs the tests."""

    def __init__(self, folder, megabytes, account=None):
        self.folder, self.filler = folder, folder / "filler"
        folder.mkdir(exist_ok=True)
        options = f"size={megabytes}m,mode=0700" + (f",uid={account.uid},gid={account.gid}" if account else "")
        program = shutil.which("mount")
        if program is None:
            self.reason = "there is no `mount`"
            return
        done = subprocess.run(
            [program, "-t", "tmpfs", "-o", options, "samsyn-test", folder], capture_output=True, text=True, check=False
        )
        self.reason = None if done.returncode == 0 else done.stderr.strip() or "refused"

    def needed(self):
        if self.reason is not None:
            pytest.skip(f"no small disk can be mounted here: {self.reason}")

    def fill(self):
        """Take every byte that is left."""
        piece = b"\0" * _PIECE
        with self.filler.open("ab", buffering=0) as file:
            while piece:
                try:
                    file.write(piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece = piece[: len(piece) // 2]

    def free(self):
        """Give back what was taken."""
        self.filler.unlink(missing_ok=True)

    def end(self):
        if self.reason is None:
            subprocess.run(["umount", "--lazy", self.folder], check=True)
            self.reason = "it is gone"
