"""A test host in which commands are cheap."""

import json
import subprocess

import hosts

from scenario.places import AGENT


class ScenarioHost(hosts.Host):
    """A test host with a process inside that runs root's commands; others enter it anew."""

    def __enter__(self):
        super().__enter__()
        self._agent = subprocess.Popen([*self.command(timeout=0), AGENT], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self._agent.kill()
        self._agent.communicate()
        super().__exit__()

    def command(self, timeout=hosts.DEADLINE, user=None):
        """Return the words before a command that is to run inside."""
        options = ["--timeout", str(timeout)] + (["--user", user] if user else [])
        return [hosts.TESTHOST, "run", str(self.directory), *options, "--"]

    def run(self, *command, user=None, check=True, feed=""):
        """Run a command inside, with `feed` as its standard input; `check`: it has to succeed."""
        if user:
            return super().run(*command, user=user, check=check)
        request = {"command": [str(word) for word in command], "input": feed,
                   "timeout": hosts.DEADLINE}
        self._agent.stdin.write(json.dumps(request) + "\n")
        self._agent.stdin.flush()
        answer = self._agent.stdout.readline()
        assert answer, "the host %s is gone" % self.directory
        answer = json.loads(answer)
        assert not check or answer["status"] == 0, "%s: %s" % (
            " ".join(request["command"]), answer["out"] + answer["err"])
        return subprocess.CompletedProcess(command, answer["status"], answer["out"], answer["err"])
