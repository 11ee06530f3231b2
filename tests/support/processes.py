"""What Linux tells of running processes."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Processes that a process has started; none of one that has ended."""
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        return found
    return found


def memory_mib(pid: int, kind: str = "VmRSS") -> float:
    """Memory of a process, in MiB: at present ("VmRSS") or at most ("VmHWM"); 0 of one that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    _, found, rest = status.partition(f"{kind}:")
    return int(rest.split()[0]) / 1024 if found else 0.0
