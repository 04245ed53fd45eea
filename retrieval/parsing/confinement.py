"""Takes the network, and other programs, from a process that is about to read a stranger's file.

A seccomp filter of Linux: it needs no privilege, holds for whatever the process starts, and cannot be lifted
again. A reader that a document has taken over can then send what it has read to nobody but its worker.
"""

import ctypes
import errno
import platform
import struct
import sys
from typing import NamedTuple

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38  # prctl(2)
_SECCOMP_MODE_FILTER = 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM  # seccomp(2): SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # classic BPF
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # in struct seccomp_data


class _Machine(NamedTuple):
    """How the kernel names a processor, and the calls that are refused: socket, socketpair, connect, execve,
    execveat, ptrace, and io_uring_setup, which could do the work of the others."""

    architecture: int
    refused: tuple[int, ...]
    numbers_end: int = 0x40000000
    """From here on x86-64 counts the calls of its 32-bit programs."""


_MACHINES = {
    "x86_64": _Machine(0xC000003E, (41, 53, 42, 59, 322, 101, 425)),
    "aarch64": _Machine(0xC00000B7, (198, 199, 203, 221, 281, 117, 425)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def can_confine() -> bool:
    """Whether this system has the filter; elsewhere a reader keeps its other limits only."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


def confine() -> None:
    """From now on this process opens no socket and starts no program. OSError if the kernel refuses the filter.

    A kernel that was built without filters is like a system that has none.
    """
    if not can_confine():
        return
    code = _filter(_MACHINES[platform.machine()])
    program = _Program(len(code) // 8, code)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, 0)
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))


def _filter(machine: _Machine) -> bytes:
    """Refuse calls of another architecture and those listed; jumps count instructions to skip."""
    left = len(machine.refused)
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 0, left + 3, machine.architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_AT_LEAST, left + 1, 0, machine.numbers_end),
        *((_IF_EQUAL, left - at, 0, number) for at, number in enumerate(machine.refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _prctl(option: int, first: int, second: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, *map(ctypes.c_ulong, (first, second, 0, 0))) and ctypes.get_errno() != errno.EINVAL:
        raise OSError(ctypes.get_errno(), "the reader could not be confined")
