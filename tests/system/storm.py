"""What an unprivileged user can do to keyturnd from outside, again and again until stdin ends.

Runs in a test host as that user. Prints the name of each kind of attack after its first round.
"""

import ctypes
import os
import select
import subprocess
import sys

NAME = b"org.keyturn.Keyturn1"
PATH = b"/org/keyturn/Keyturn1"
MANAGER = b"org.keyturn.Keyturn1.Manager"
POLKIT = (b"org.freedesktop.PolicyKit1", b"/org/freedesktop/PolicyKit1/Authority",
          b"org.freedesktop.PolicyKit1.Authority")
BUS = (b"org.freedesktop.DBus", b"/org/freedesktop/DBus", b"org.freedesktop.DBus")
TUNNEL = sys.argv[1].encode()
ALARM = sys.argv[2]  # The MESSAGE_ID of an event that is bad news.
CALLERS = 40  # Connections with a call of each that never comes to an end.
HUGE = b"x" * 8_000_000
PAUSE = 0.2  # Seconds between two rounds: the neighbour does not aim at the processor.

lib = ctypes.CDLL("libsystemd.so.0")


def connection():
    """Return a connection of its own to the system bus."""
    bus = ctypes.c_void_p()
    assert lib.sd_bus_open_system(ctypes.byref(bus)) >= 0
    return bus


def call(bus, to, method, types, *arguments):
    """Call a method, and wait for the answer; return a negative number for an error."""
    return lib.sd_bus_call_method(bus, *to, method, None, None, types, *arguments)


def own_unique_name(bus):
    """Return the unique name of keyturnd: who forges signals has to know it."""
    reply = ctypes.c_void_p()
    assert lib.sd_bus_call_method(bus, *BUS, b"GetNameOwner", None, ctypes.byref(reply), b"s",
                                  NAME) >= 0
    owner = ctypes.c_char_p()
    assert lib.sd_bus_message_read(reply, b"s", ctypes.byref(owner)) >= 0
    return owner.value


def register_agent_that_never_answers(bus):
    """Become the one whom polkit asks for a password of this process; nobody reads the question."""
    with open("/proc/self/stat", encoding="ascii") as stat:
        started = int(stat.read().rsplit(")", 1)[1].split()[19])
    done = call(bus, POLKIT, b"RegisterAuthenticationAgent", b"(sa{sv})ss", b"unix-process", 2,
                b"pid", b"u", ctypes.c_uint32(os.getpid()),
                b"start-time", b"t", ctypes.c_uint64(started), b"C", b"/agent")
    assert done >= 0, os.strerror(-done)


def ask_and_never_listen(bus, method):
    """Send a call that needs an answer of polkit, and go on without its end."""
    message = ctypes.c_void_p()
    assert lib.sd_bus_message_new_method_call(bus, ctypes.byref(message), NAME, PATH, MANAGER,
                                              method) >= 0
    lib.sd_bus_message_set_allow_interactive_authorization(message, 1)
    assert lib.sd_bus_message_append(message, b"s", TUNNEL) >= 0
    lib.sd_bus_call_async(bus, None, message, None, None, ctypes.c_uint64(0))
    lib.sd_bus_flush(bus)
    lib.sd_bus_message_unref(message)


def forge_signal(bus, to, path, interface, member, types, *arguments):
    """Send a signal to one connection; the bus lets everybody do so."""
    message = ctypes.c_void_p()
    assert lib.sd_bus_message_new_signal(bus, ctypes.byref(message), path, interface, member) >= 0
    assert lib.sd_bus_message_set_destination(message, to) >= 0
    assert lib.sd_bus_message_append(message, types, *arguments) >= 0
    lib.sd_bus_send(bus, message, None)
    lib.sd_bus_flush(bus)
    lib.sd_bus_message_unref(message)


def callers():
    """Fill the queue of those who wait for polkit."""
    agent = connection()
    register_agent_that_never_answers(agent)
    buses = [connection() for _ in range(CALLERS)]
    while True:
        for bus in buses:
            for method in (b"Pause", b"Retry", b"Resume"):
                ask_and_never_listen(bus, method)
        yield


def signals():
    """Say in the names of systemd and of the bus what did not happen."""
    bus = connection()
    keyturnd = own_unique_name(bus)
    while True:
        for _ in range(20):
            forge_signal(bus, keyturnd, BUS[1], BUS[2], b"NameLost", b"s", NAME)
            forge_signal(bus, keyturnd, b"/org/freedesktop/systemd1",
                         b"org.freedesktop.systemd1.Manager", b"JobRemoved", b"uoss", 1,
                         b"/org/freedesktop/systemd1/job/1", b"cloudflared-web@1.service",
                         b"failed")
            forge_signal(bus, keyturnd, PATH, b"org.freedesktop.DBus.Properties",
                         b"PropertiesChanged", b"sa{sv}as", MANAGER, 0, 0)
        yield


def journal():
    """Write lines that look like keyturnd's own."""
    entry = "MESSAGE=Rotation of %s: held\nMESSAGE_ID=%s\nSYSLOG_IDENTIFIER=keyturnd\n" \
        "_SYSTEMD_UNIT=keyturnd.service\nUNIT=keyturnd.service\n" % (TUNNEL.decode(), ALARM)
    while True:
        subprocess.run(["logger", "--journald"], input=entry, text=True, check=False)
        yield


def huge_names():
    """Ask about a tunnel whose name has eight million letters."""
    bus = connection()
    while True:
        refused = call(bus, (NAME, PATH, MANAGER), b"Pause", b"s", HUGE)
        assert refused < 0
        yield


def main():
    """Do all of it in turn."""
    attacks = {kind.__name__: kind() for kind in (callers, signals, journal, huge_names)}
    first = True
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        for name, attack in attacks.items():
            next(attack)
            if first:
                print(name, flush=True)
        first = False


main()
