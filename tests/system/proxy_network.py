"""A network as companies have it: nothing but a proxy leads out of the host."""

import base64
import re

NAME = "proxy.office.test"
PORT = 3128
URL = "http://%s:%d" % (NAME, PORT)
USER = "robot"
PASSWORD = "s3same.Open-42"
LOGIN = "%s:%s" % (USER, PASSWORD)
LOGIN_FILE = "/etc/keyturn/cloudflare-proxy"
UNIT = "office-proxy.service"
# The user of the proxy: the firewall lets only this one out to Cloudflare.
OWNER = "daemon"
CONFIGURATION = """\
Port %d
Listen 127.0.0.1
Timeout 600
MaxClients 50
BasicAuth %s %s
ConnectPort 8443
LogLevel Connect
""" % (PORT, USER, PASSWORD)
SERVICE = """\
[Service]
User=%s
BindReadOnlyPaths=/etc/office-hosts:/etc/hosts
ExecStart=/usr/bin/tinyproxy -d -c /etc/office-proxy.conf
Restart=no
""" % OWNER
# The name of the API is in the proxy's own /etc/hosts only, and nothing else of the host may send a
# packet to it.
ENCLOSE = """
set -eu
cp /etc/hosts /etc/office-hosts
grep -v 'api\\.cloudflare\\.test' /etc/office-hosts >/etc/hosts
echo "127.0.0.1 %(name)s" >>/etc/hosts
chown %(owner)s /etc/office-proxy.conf
iptables -A OUTPUT -p tcp --dport 8443 -m owner --uid-owner %(owner)s -j ACCEPT
iptables -A OUTPUT -p tcp --dport 8443 -m tcp --tcp-flags SYN,ACK SYN -j DROP
iptables -A OUTPUT -p tcp --dport %(port)d -m tcp --tcp-flags SYN,ACK SYN -j RETURN
systemctl daemon-reload
systemctl start %(unit)s
""" % {"name": NAME, "owner": OWNER, "unit": UNIT, "port": PORT}
PACKETS = r"(?m)^\s*(\d+)\s+\d+\s+%s"


def enclose(stock):
    """Lead everything of this host that goes to Cloudflare's API through a proxy with a login."""
    stock.put("/etc/office-proxy.conf", 0o600, CONFIGURATION)
    stock.put("/etc/systemd/system/" + UNIT, 0o644, SERVICE)
    stock.host.run("sh", "-c", ENCLOSE)


def _packets(stock, target):
    shown = stock.host.output("iptables", "-nvxL", "OUTPUT")
    return int(re.search(PACKETS % target, shown).group(1))


def packets_beside_the_proxy(stock):
    """Return how many packets went to Cloudflare's API on another way."""
    return _packets(stock, "DROP")


def attempts_at_the_proxy(stock):
    """Return how many connections to the proxy were begun."""
    return _packets(stock, "RETURN")


def forms_of_login():
    """Return the forms in which the login of the proxy could leak."""
    return {"password": PASSWORD.encode(),
            "login in base64": base64.b64encode(LOGIN.encode()).rstrip(b"=")}


def with_environment(stock, *command, feed=""):
    """Run a command with HTTPS_PROXY in its environment, as /etc/environment has it."""
    value = URL.replace("//", "//" + LOGIN + "@")
    stock.put("/root/proxy.env", 0o600, "HTTPS_PROXY=%s\nNO_PROXY=.corp.test,10.0.0.0/8\n" % value)
    return stock.host.run("sh", "-c", 'set -a; . /root/proxy.env; set +a; exec "$@"', "sh",
                          *command, check=False, feed=feed)


def set_login(stock, login):
    """Store another login for keyturnd, and restart it."""
    stock.put(LOGIN_FILE, 0o600, login + "\n")
    stock.keyturn.restart()
