"""Keeps the connections to the edge: the order in which they start, their retries, their end.

Two waits lie on top of each other, as in the real program.  An attempt that ends waits up to 2,
4, ... 32 seconds before it reports its end.  After the start, the reports of all connections then
share a second wait of up to 20, 40, ... 320 seconds before they are tried again.  Only the first
connection of a process is tried again without the second wait, for ever.
"""

from connector.backoff import Backoff
from connector.edge_connection import EdgeConnection
from connector.flags import format_duration

REGISTRATION_INTERVAL = 1.0
ATTEMPT_BASE = 1.0
SUPERVISOR_BASE = 10.0


class Slot:
    """One of the connections a connector wants to have."""

    def __init__(self, index, backoff):
        self.index = index
        self.backoff = backoff
        self.connection = None
        self.timer = None
        self.first = False


class Supervisor:
    """Runs until stop() has drained everything, then calls `on_finished(error or None)`."""

    def __init__(self, loop, identity, settings, notify_ready, on_finished):
        self._loop = loop
        self._identity = identity
        self._settings = settings
        self._notify_ready = notify_ready
        self._on_finished = on_finished
        scale = settings.time_scale
        self._slots = [Slot(index, Backoff(ATTEMPT_BASE * scale, settings.retries, loop.now))
                       for index in range(settings.connections)]
        self._backoff = Backoff(SUPERVISOR_BASE * scale, settings.retries, loop.now)
        self._backoff_timer = None
        self._active = settings.connections
        self._waiting = []
        self._early_reports = []
        self._connected_once = False
        self._initialised = False
        self._stopping = False
        self._finished = False

    def start(self):
        """Begin with the first connection; the others follow once it is registered."""
        self._slots[0].first = True
        self._serve(self._slots[0])

    def stop(self):
        """Drain: unregister every connection and finish when all are closed."""
        self._stopping = True
        if not self._connected_once:
            self._finish(None)
            return
        for slot in self._slots:
            if slot.connection is not None:
                self._identity.tracker.set_disconnected(slot.index)
                slot.connection.drain()
            elif slot.timer is not None:
                slot.timer.cancel()
                slot.timer = None
                self._report(slot, None)

    def _serve(self, slot):
        self._identity.tracker.serving_attempts += 1
        slot.connection = EdgeConnection(
            self._loop, self._identity, slot.index,
            lambda: self._on_registered(slot), lambda ended: self._on_ended(slot, ended))

    def _on_registered(self, slot):
        connection = slot.connection
        location = connection.registered["location"]
        protocol = self._identity.protocol
        self._identity.tracker.set_connected(slot.index, protocol, connection.address, location)
        self._identity.log.info(
            "Registered tunnel connection", connIndex=slot.index, event=0,
            connection=connection.registered["connection"], ip=connection.address,
            location=location, protocol=protocol)
        slot.backoff.reset()
        if not self._waiting:
            self._backoff.reset_later()
        if not self._connected_once:
            self._connected_once = True
            self._notify_ready()
            self._start_next(1)

    def _start_next(self, index):
        """Start connection `index`; after the last one and one more interval, watch for ends."""
        if index >= len(self._slots):
            self._initialised = True
            reports, self._early_reports = self._early_reports, []
            for slot, error in reports:
                self._handle_report(slot, error)
            return
        if self._stopping:
            self._report(self._slots[index], None)
        else:
            self._serve(self._slots[index])
        self._loop.after(REGISTRATION_INTERVAL * self._settings.time_scale,
                         lambda: self._start_next(index + 1))

    def _on_ended(self, slot, ended):
        slot.connection = None
        self._identity.tracker.set_disconnected(slot.index)
        if ended.kind == "refused":
            self._identity.tracker.count_refusal(ended.text)
        if self._stopping:
            if ended.kind == "drained":
                self._identity.log.info("Unregistered tunnel connection", connIndex=slot.index)
            self._identity.tracker.serving_attempts -= 1
            self._report(slot, None)
            return
        self._log_end(slot, ended)
        self._identity.log.info(
            "Retrying connection in up to %s" % format_duration(slot.backoff.limit()),
            connIndex=slot.index)
        slot.timer = self._loop.after(slot.backoff.next_wait(), lambda: self._retry(slot, ended))

    def _log_end(self, slot, ended):
        """Log the end; over QUIC the reason of a refusal is not shown."""
        if ended.kind == "refused" and self._identity.protocol == "http2":
            message, text = "Register tunnel error from server side", ended.text
        elif ended.kind == "refused":
            message = "failed to serve tunnel connection"
            text = "control stream encountered a failure while serving"
        elif ended.kind == "dial":
            message, text = "Unable to establish connection with Cloudflare edge", ended.text
        else:
            message, text = "Serve tunnel error", ended.text
        self._identity.log.error(message, connIndex=slot.index, error=text)

    def _retry(self, slot, ended):
        slot.timer = None
        self._identity.tracker.serving_attempts -= 1
        if slot.first and self._again_at_once(ended):
            self._serve(slot)
            return
        slot.first = False
        self._report(slot, ended.text)

    def _again_at_once(self, ended):
        """Return whether the first connection is simply tried again after this end."""
        if ended.kind == "dial" or "Unauthorized" in ended.text or ended.text == "EDUPCONN":
            return True
        return self._identity.protocol == "quic"

    def _report(self, slot, error):
        if not self._connected_once:
            self._identity.log.error("initial tunnel connection failed", error=error)
            self._finish(error)
        elif self._initialised:
            self._handle_report(slot, error)
        else:
            self._early_reports.append((slot, error))

    def _handle_report(self, slot, error):
        self._active -= 1
        if error is not None:
            self._identity.log.error("Connection terminated", connIndex=slot.index, error=error)
        if error is not None and not self._stopping:
            self._waiting.append(slot)
            if self._backoff_timer is None:
                self._backoff_timer = self._loop.after(self._backoff.next_wait(), self._restart)
        elif self._active == 0:
            self._finish(None)

    def _restart(self):
        """Try every waiting connection again; this also ends a stop that had to wait for it."""
        self._backoff_timer = None
        waiting, self._waiting = self._waiting, []
        self._active += len(waiting)
        for slot in waiting:
            if self._stopping:
                self._handle_report(slot, None)
            else:
                self._serve(slot)

    def _finish(self, error):
        if not self._finished:
            self._finished = True
            self._on_finished(error)
