"""A filter of system calls for the sandbox: what no notebook needs, and what counts nowhere.

bubblewrap takes it as a classic BPF program, see ``seccomp(2)``. The kernel runs it before each
call, and nothing that runs later can take it off. Numbers are from Linux's tables of system calls,
``arch/x86/entry/syscalls/syscall_64.tbl`` and ``scripts/syscall.tbl`` (for aarch64), the rest from
``include/uapi/linux``.
"""

from __future__ import annotations

import errno
import struct

# Value in `seccomp_data.arch`, from linux/audit.h.
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# System calls by their numbers on x86_64 and on aarch64.
NUMBERS = {
    # Memory that is no process's: the limit on memory adds up processes.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    # Keys of the user who runs the grader.
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # New namespaces, in which a process is root and reaches more of the kernel.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    # Other processes, and parts of the kernel with a history of holes.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # Out of the core that the sandbox has.
    "sched_setaffinity": (203, 122),
    # Signals between two sandboxes by way of files that both see. (Locks of fcntl stay: SQLite.)
    "flock": (73, 32),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    # Its flags lie in memory, where a filter can't look; libc goes on to clone.
    "clone3": (435, 435),
    # Refused by their arguments, see `program`.
    "clone": (56, 220),
    "mmap": (9, 222),
    "madvise": (28, 233),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "setsockopt": (54, 208),
}
# HDF5 takes this as a file system without locks, libc as a kernel without clone3.
ABSENT = ("clone3", "flock")

NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
SHARED_ANONYMOUS = 0x21  # MAP_SHARED, also as a part of MAP_SHARED_VALIDATE, and MAP_ANONYMOUS
PAGE_OUT = 21  # MADV_PAGEOUT
FAMILIES = (1, 2, 10, 16)  # AF_UNIX, INET, INET6, NETLINK; AF_VSOCK would reach a machine's host
SOCKET_LEVEL, BUFFER_SIZES = 1, (7, 8)  # SOL_SOCKET with SO_SNDBUF, SO_RCVBUF
X32 = 0x40000000

LOAD, AND, RETURN = 0x20, 0x54, 0x06
EQUAL, AT_LEAST, ANY_BIT = 0x15, 0x35, 0x45
CALL, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # places in `seccomp_data`
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000


def _do(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _when(test: int, value: int, then: bytes, otherwise: bytes = b"") -> bytes:
    """One part or the other. The first must end with a return: it would run into the second."""
    return struct.pack("=HBBI", test, 0, len(then) // 8, value) + then + otherwise


def _load_argument(position: int) -> bytes:
    # Its lower half, all that the kernel looks at: both machines are little-endian.
    return _do(LOAD, ARGUMENTS + 8 * position)


def program(machine: str) -> bytes | None:
    """The filter for a machine.

    Parameters
    ----------
    machine : str
        As ``platform.machine()`` has it.

    Returns
    -------
    bytes or None
        For ``bwrap --seccomp``. None for a machine whose numbers of system calls aren't here.
    """
    if machine not in ARCHITECTURES:
        return None
    column = list(ARCHITECTURES).index(machine)
    allow, refuse, absent, no_family = (
        _do(RETURN, ALLOW),
        *(_do(RETURN, ERROR | code) for code in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT)),
    )
    socket = _load_argument(0) + b"".join(_when(EQUAL, n, allow) for n in FAMILIES) + no_family
    resize = _load_argument(2) + b"".join(_when(EQUAL, n, refuse) for n in BUFFER_SIZES) + allow
    shared = _do(AND, SHARED_ANONYMOUS) + _when(EQUAL, SHARED_ANONYMOUS, refuse, allow)
    by_argument = {
        "clone": _load_argument(0) + _when(ANY_BIT, NEW_NAMESPACES, refuse, allow),
        # A process can hold such memory without having it in its page tables, where it is counted.
        "mmap": _load_argument(3) + shared,
        "madvise": _load_argument(2) + _when(EQUAL, PAGE_OUT, refuse, allow),
        "socket": socket,
        "socketpair": socket,
        # The grader counts sockets, each as what it holds unless told otherwise.
        "setsockopt": _load_argument(1) + _when(EQUAL, SOCKET_LEVEL, resize, allow),
    }
    calls = _do(LOAD, CALL) + _when(AT_LEAST, X32, absent)
    for name, numbers in NUMBERS.items():
        if numbers[column] is not None:
            then = by_argument.get(name, absent if name in ABSENT else refuse)
            calls += _when(EQUAL, numbers[column], then)
    # Calls of another architecture have other numbers.
    own = _when(EQUAL, ARCHITECTURES[machine], calls + allow, _do(RETURN, KILL))
    return _do(LOAD, ARCHITECTURE) + own
