"""Which system calls a program is killed at, by what strace has seen of one undisturbed life.

strace delivers the SIGKILL when the call is entered, and the kernel does not carry it out. So a
kill at each call shows every state between two changes of the world outside; the one after the last
change is that of a stop. What the page cache holds outlives a SIGKILL: whether fsync stands in the
right places is for tests of power cuts, and fsync is here because it marks a place.
"""

import collections
import dataclasses
import re

# What changes files, their names, modes and locks.
FILE_CALLS = frozenset("""
    chmod chown copy_file_range creat fallocate fchmod fchmodat fchown fchownat fdatasync flock
    fsync ftruncate lchown link linkat mkdir mkdirat mknod mknodat open openat openat2 pwrite64
    pwritev pwritev2 rename renameat renameat2 rmdir sendfile symlink symlinkat truncate unlink
    unlinkat utimensat write writev""".split())
# What others hear of: systemd and D-Bus, journald, Cloudflare, the connectors, other processes.
TOLD_CALLS = frozenset("""
    bind clone clone3 connect fork kill listen sendmmsg sendmsg sendto shutdown tgkill
    vfork""".split())
# Where a program that has started another one waits for it: the other one is killed along with it.
WAITING_CALLS = frozenset(("poll",))
# Of these only the ones that create a file; to open one for reading changes nothing.
OPENING = frozenset(("open", "openat", "openat2"))
# What ends with the process and leaves nothing: memory, descriptors, timers, reading, waiting. The
# locks and sockets that a close gives up are also given up by the kill.
INNER_CALLS = frozenset("""
    access arch_prctl brk clock_gettime clock_nanosleep close dup dup2 dup3 epoll_create1 epoll_ctl
    epoll_pwait epoll_wait eventfd2 execve exit exit_group faccessat faccessat2 fcntl fstat fstatfs
    futex getcwd getdents64 getegid geteuid getgid getpeername getpid getrandom getsockname
    getsockopt gettid gettimeofday getuid ioctl lseek lstat madvise memfd_create mlock mlock2 mmap
    mprotect mremap munlock munmap nanosleep newfstatat pipe2 poll ppoll prctl pread64 prlimit64
    read readlink readlinkat readv recvfrom recvmmsg recvmsg restart_syscall rseq rt_sigaction
    rt_sigpending rt_sigprocmask rt_sigreturn rt_sigtimedwait sched_getaffinity sched_yield
    set_robust_list set_tid_address setsockopt signalfd4 socket socketpair stat statfs statx sysinfo
    timerfd_create timerfd_gettime timerfd_settime uname wait4""".split())

# Without -f, strace writes no process number.
LINE = re.compile(r"^(?:(\d+) +)?(\w+)\((.*)$")
POINT = re.compile(r"(?:([\w-]+)/)?(\w+):([1-9]\d*)")
STORIES = ("rotation", "first-start")
# Multiples of these, modulo one, are spread evenly however many there are, and start elsewhere
# every day.
STEP, DAY_STEP = 0.6180339887498949, 0.7548776662466927


class Unclear(Exception):
    """What strace saw cannot be counted; a sentence for a person."""


@dataclasses.dataclass(frozen=True)
class Point:
    """The number-th call of a kind in the life of the program that a story is about."""

    story: str
    call: str
    number: int
    step: str = dataclasses.field(default="", compare=False)  # What the call is about.

    def __str__(self):
        return "%s/%s:%d" % (self.story, self.call, self.number)


def point_of(text, stories=STORIES):
    """Read CALL:N or STORY/CALL:N."""
    match = POINT.fullmatch(text)
    if not match or (match[1] or stories[0]) not in stories:
        raise Unclear("%r is not [STORY/]CALL:N, STORY being one of: %s" % (
            text, ", ".join(stories)))
    if match[2] not in FILE_CALLS | TOLD_CALLS | WAITING_CALLS:
        raise Unclear("%r is no call that this is about; see sweep/calls.py" % match[2])
    return Point(match[1] or stories[0], match[2], int(match[3]))


def chain_of(text, stories=STORIES):
    """Read a point, and after commas those where the program that recovers is killed."""
    first, *again = text.split(",")
    return point_of(first, stories), *(
        point_of("%s/%s" % (stories[0], part), stories) for part in again)


def text_of(chain):
    """Write what `chain_of` reads."""
    return ",".join([str(chain[0]), *("%s:%d" % (p.call, p.number) for p in chain[1:])])


def seen_calls(log):
    """Return (name, the rest of the line) of every call in a log of `strace -f -o`."""
    matches = list(filter(None, map(LINE.match, log.splitlines())))
    if len({match[1] for match in matches}) != 1:
        raise Unclear("strace counts for each thread, and there are %d" %
                      len({match[1] for match in matches}))
    calls = [(match[2], match[3]) for match in matches]
    unknown = {name for name, _ in calls} - FILE_CALLS - TOLD_CALLS - INNER_CALLS
    if unknown:
        raise Unclear("it calls %s now: say in sweep/calls.py whether that changes anything" %
                      ", ".join(sorted(unknown)))
    return calls


def points_in(story, calls):
    """Return the points of a life, in the order of time."""
    numbers = collections.Counter()
    points = []
    for name, rest in calls:
        numbers[name] += 1
        if name in INNER_CALLS or (name in OPENING and "O_CREAT" not in rest):
            continue
        points.append(Point(story, name, numbers[name]))
    return points


def _evenly(points, start):
    """Return the points so that the first few, however many, are spread over all."""
    count = len(points)
    order = [int((start + i * STEP) % 1 * count) for i in range(8 * count)]
    return [points[index] for index in dict.fromkeys(order + list(range(count)))]


def spread(points, day):
    """Return all points in the order of a sample: files and the rest take turns."""
    start = day * DAY_STEP
    piles = [_evenly([p for p in points if (p.call in FILE_CALLS) == of_files], start)
             for of_files in (True, False)]
    turns = [pair for pair in zip(*piles)]
    mixed = [point for pair in turns for point in pair]
    return mixed + piles[0][len(turns):] + piles[1][len(turns):]
