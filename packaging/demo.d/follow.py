"""Runs keyturnctl inside the host and shows what it shows, with the traffic below."""

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from screen import traffic_text

TICK = 0.25
PIPE_REPORT = 5.0
CHUNK = 65536
ASKED_MAX = 1024


def _terminal_size(descriptor):
    try:
        return fcntl.ioctl(descriptor, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    except OSError:
        return struct.pack("HHHH", 24, 80, 0, 0)


def _start(screen, command):
    """Start the command on a terminal of its own if we have one; return (process, its end)."""
    if not screen.terminal:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        return process, os.dup(process.stdout.fileno())
    reading, writing = pty.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, _terminal_size(1))
    process = subprocess.Popen(command, stdin=writing, stdout=writing, stderr=writing,
                               start_new_session=True)
    os.close(writing)
    return process, reading


def _read(descriptor):
    """Return what there is to read; b"" at the end, also at a terminal's."""
    try:
        return os.read(descriptor, CHUNK)
    except OSError:
        return b""


def follow(scenario, screen, arguments, deadline, every_tick=lambda: None, answers=()):
    """Run keyturnctl with these arguments until it ends; return its exit status, None if overdue.

    `deadline` is in seconds of time.monotonic(). `answers`: pairs of what it asks, and what is
    typed then; on a terminal only.
    """
    asked, answers = "", list(answers)
    screen.command("keyturnctl " + " ".join(arguments))
    words = [str(word) for word in scenario.host.command(timeout=0)]
    process, reading = _start(screen, [*words, "keyturnctl", *arguments])
    text = codecs.getincrementaldecoder("utf-8")(errors="replace")
    reported = time.monotonic()
    try:
        while time.monotonic() < deadline:
            if select.select([reading], [], [], TICK)[0]:
                data = _read(reading)
                if not data:
                    return process.wait()
                shown = text.decode(data)
                screen.raw(shown)
                asked = (asked + shown)[-ASKED_MAX:]
                if answers and answers[0][0] in asked:
                    os.write(reading, answers.pop(0)[1].encode())
                    asked = ""
            every_tick()
            line = traffic_text(screen, scenario.traffic.status())
            screen.bottom(line)
            if not screen.terminal and time.monotonic() - reported > PIPE_REPORT:
                screen.line(line)
                reported = time.monotonic()
        return None
    finally:
        process.kill()
        os.close(reading)
        screen.bottom("")
