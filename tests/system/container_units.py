"""Containers as keyturn.yaml(5) prints them, on a test host with a real engine.

The image is a tree of links into the host's /usr, so that it runs the stand-in. What a container
needs only here (the edge of the sandbox) comes from the engine's own configuration, so that units
are as printed but for their names and ports.
"""

import re

from scenario import Layout
from scenario.places import REPOSITORY

ADDRESS = "192.0.2.1"
MANUAL = REPOSITORY / "packaging" / "man" / "keyturn.yaml.5"
PODMAN = "cloudflared-podman.service"
DOCKER = "cloudflared-docker.service"
QUADLET = "cloudflared-quadlet.service"
PORTS = {PODMAN: 20241, DOCKER: 20242, QUADLET: 20243}

# How people run it: the token is in the command.
FIELD = """\
[Service]
ExecStartPre=-/usr/bin/%(engine)s rm --force %(stem)s
ExecStart=/usr/bin/%(engine)s run --rm --name %(stem)s --env TUNNEL_TOKEN=%%(token)s \\
    docker.io/cloudflare/cloudflared:latest tunnel run
ExecStop=/usr/bin/%(engine)s stop --time 40 %(stem)s
KillMode=mixed
TimeoutStopSec=60

[Install]
WantedBy=multi-user.target
"""
# What the generator of podman 5 makes of a .container file. Debian 12 has none.
GENERATED = """\
[Service]
%(service)s
Environment=PODMAN_SYSTEMD_UNIT=%%n
KillMode=mixed
ExecStop=/usr/bin/podman rm -v -f -i %(name)s
ExecStopPost=-/usr/bin/podman rm -v -f -i %(name)s
Delegate=yes
Type=notify
NotifyAccess=all
SyslogIdentifier=%%N
ExecStart=/usr/bin/podman run --name %(name)s --replace --rm --cgroups=split \\
    --sdnotify=container -d --user %(user)s -v %(volume)s --publish %(port)s \\
    %(arguments)s %(image)s %(command)s

[Install]
WantedBy=multi-user.target
"""
ENGINE = """
set -eu
mkdir -p /etc/containers /tmp/image/usr /tmp/image/etc /tmp/image/tmp
printf '[storage]\\ndriver = "vfs"\\nrunroot = "/run/containers/storage"\\n%s' \\
    'graphroot = "/var/lib/containers/storage"\n' >/etc/containers/storage.conf
# The controller pids and the privilege of the engine's usual runtime are not on every machine.
printf '[engine]\\nruntime = "runc"\\n[containers]\\npids_limit = 0\\n%s\\n%s\\n' \\
    "env = [\\"TUNNEL_EDGE=$1:7844\\", \\"SANDBOX_TIME_SCALE=0.1\\"]" \\
    'volumes = ["/usr:/usr:ro"]' >/etc/containers/containers.conf
for name in bin lib lib64; do ln -s "usr/$name" "/tmp/image/$name"; done
tar -C /tmp/image -c . | podman import --quiet \\
    --change 'ENTRYPOINT ["/usr/bin/cloudflared", "--no-autoupdate"]' \\
    - docker.io/cloudflare/cloudflared:latest >/dev/null
# Otherwise the bridge takes over the address of the first container, and changes it with that.
ip link add podman0 type bridge
ip link set podman0 address 02:00:00:00:00:01 up
ip address add 10.88.0.1/16 dev podman0
[ -e /usr/bin/docker ] || ln -s podman /usr/bin/docker
"""


def prepare_engine(stock):
    """Give the host an engine and the image. Its `docker` is podman, which takes the same words."""
    stock.host.run("sh", "-c", ENGINE, "engine", ADDRESS)


def field_layout():
    """Return a layout of three containers as people run them."""
    units = {unit: FIELD % {"engine": "docker" if unit == DOCKER else "podman",
                            "stem": unit.removesuffix(".service")} for unit in PORTS}
    return Layout(units, before_start=prepare_engine, address=ADDRESS)


def printed(mark):
    """Return the unit in the manual page that contains a text."""
    blocks = re.findall(r"^\.Bd .*?\n(.*?)^\.Ed", MANUAL.read_text(encoding="utf-8"),
                        re.MULTILINE | re.DOTALL)
    found = [block.replace("\\e", "\\") for block in blocks if mark in block]
    assert len(found) == 1, mark
    return found[0]


def generated(container):
    """Return the service that podman's generator makes of a .container file."""
    keys, service = {}, container.partition("[Service]\n")[2]
    for line in container.partition("[Service]\n")[0].splitlines()[1:]:
        key, _, value = line.partition("=")
        keys[key] = value
    assert keys["Notify"] == "true"
    return GENERATED % {
        "service": service.strip(), "name": keys["ContainerName"], "user": keys["User"],
        "volume": keys["Volume"], "port": keys["PublishPort"], "arguments": keys["PodmanArgs"],
        "image": keys["Image"], "command": keys["Exec"]}


def changed_units():
    """Return the units as the manual page prints them, each with a name and port of its own."""
    texts = {PODMAN: printed("podman run"), DOCKER: printed("docker run"),
             QUADLET: generated(printed("[Container]"))}
    return {unit: texts[unit].replace("cloudflared-web", unit.removesuffix(".service"))
            .replace("127.0.0.1:20241", "127.0.0.1:%d" % port) for unit, port in PORTS.items()}
