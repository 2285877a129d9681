"""Does a program do something about a signal yet? One that comes before kills it."""
import os


def heeds(pid, number):
    """A handler is there, or the signal is blocked, for sigwait. Who waits in sigwait has it unblocked for so long, but the
    program's other threads, made later, have it blocked."""
    folder = "/proc/%d/task" % pid
    for thread in os.listdir(folder):
        try:
            with open("%s/%s/status" % (folder, thread), encoding="ascii", errors="replace") as file:
                said = dict(line.split(":", 1) for line in file)
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        if any(int(said.get(mask, "0"), 16) >> number - 1 & 1 for mask in ("SigBlk", "SigCgt")):
            return True
    return False
