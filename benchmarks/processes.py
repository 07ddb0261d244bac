"""What a process takes of the machine, as the kernel tells it, and how it is ended."""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process holds; `cpu_seconds` is all that it has used so far."""

    threads: int
    sockets: int
    megabytes: float
    cpu_seconds: float


def footprint(process: subprocess.Popen[bytes]) -> Footprint:
    """What a process holds now; OSError when it has ended."""
    folder = Path(f"/proc/{process.pid}")
    return Footprint(
        threads=int(_status(process, "Threads")),
        sockets=sum(_leads_to_a_socket(link) for link in (folder / "fd").iterdir()),
        megabytes=resident_megabytes(process),
        cpu_seconds=_cpu_seconds(folder),
    )


def resident_megabytes(process: subprocess.Popen[bytes]) -> float:
    """The memory that a process holds; OSError when it has ended."""
    return int(_status(process, "VmRSS")) / 1024


def end(*processes: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """End these, whatever they do: those that do not go when they are asked to are killed."""
    for process in processes:
        process.terminate()
    ends_at = monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.0, ends_at - monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _status(process: subprocess.Popen[bytes], name: str) -> str:
    status = Path(f"/proc/{process.pid}/status").read_text()
    for line in status.splitlines():
        if line.startswith(f"{name}:"):
            return line.split()[1]
    # A process that has ended has a status until it is waited for, but holds nothing.
    raise ProcessLookupError(f"process {process.pid} has no {name}")


def _leads_to_a_socket(link: Path) -> bool:
    try:
        return os.readlink(link).startswith("socket:")
    except FileNotFoundError:
        return False


def _cpu_seconds(folder: Path) -> float:
    # "7 (name) S 1 ...", where the name may hold anything.
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def thread_seconds(pid: int) -> dict[int, tuple[str, float]]:
    """By thread: its name and the CPU seconds that it has used; of a process that ended, none."""
    threads = {}
    with suppress(FileNotFoundError, ProcessLookupError):
        for folder in Path(f"/proc/{pid}/task").iterdir():
            # One may end between two looks.
            with suppress(FileNotFoundError, ProcessLookupError):
                name = (folder / "comm").read_text().strip()
                threads[int(folder.name)] = (name, _cpu_seconds(folder))
    return threads
