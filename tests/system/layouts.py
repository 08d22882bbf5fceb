"""How hosts in the field run cloudflared: units and files, as `keyturnctl setup` meets them."""

from scenario import Layout

STOCK = """\
[Unit]
Description=cloudflared
After=network-online.target
Wants=network-online.target

[Service]
TimeoutStartSec=15
Type=notify
%(lines)s
Restart=on-failure
RestartSec=5s

[Install]
WantedBy=multi-user.target
"""
RUN = "/usr/bin/cloudflared --no-autoupdate tunnel run"
TOKEN_FILE = "/etc/cloudflared/token"


def unit(*lines):
    """Return the stock unit with these lines; what stands for the token stays."""
    return STOCK.replace("%(lines)s", "\n".join(lines))


def one(*lines, files=None, name="cloudflared.service", **more):
    """Return a layout with a single unit, as nearly all hosts have it."""
    return Layout({name: unit(*lines)}, files, **more)


def private(text):
    """Return a file that only root can read."""
    return 0o600, text


LAYOUTS = {
    "stock until 2026.7.1": one("ExecStart=%s --token %%(token)s" % RUN),
    "stock since 2026.7.2": one("ExecStart=%s --token-file %s" % (RUN, TOKEN_FILE),
                                files={TOKEN_FILE: private("%(token)s")}),
    "two named services": Layout({
        "cf-tunnel-a.service": unit("ExecStart=%s --token-file %s" % (RUN, TOKEN_FILE)),
        "cf-tunnel-b.service": unit("ExecStart=%s --token-file %s" % (RUN, TOKEN_FILE))},
        {TOKEN_FILE: private("%(token)s\n")}),
    "dynamic user": one("DynamicUser=yes", "ProtectHome=yes", "PrivateDevices=yes",
                        "CapabilityBoundingSet=", "ExecStart=%s --token %%(token)s" % RUN),
    "environment": one("Environment=TUNNEL_TOKEN=%(token)s", "ExecStart=" + RUN),
    "environment file": one("EnvironmentFile=/etc/default/cloudflared", "ExecStart=" + RUN,
                            files={"/etc/default/cloudflared":
                                   private("TUNNEL_TOKEN=%(token)s\n")}),
    "variable in argv": one("EnvironmentFile=-/etc/default/cloudflared",
                            "ExecStart=%s --token ${TUNNEL_TOKEN}" % RUN,
                            files={"/etc/default/cloudflared":
                                   private("# of the tunnel\nTUNNEL_TOKEN='%(token)s'\n")}),
    "config.yml with a token": one(
        "ExecStart=/usr/bin/cloudflared --no-autoupdate --config /etc/cloudflared/config.yml "
        "tunnel run",
        files={"/etc/cloudflared/config.yml":
               private("# mine\ntoken: '%(token)s'\nloglevel: info\n")}),
    "locally managed": one(
        "ExecStart=/usr/bin/cloudflared --no-autoupdate --config /etc/cloudflared/config.yml "
        "tunnel run",
        files={"/etc/cloudflared/config.yml":
               (0o644, "tunnel: %(tunnel)s\ncredentials-file: /root/.cloudflared/x.json\n"),
               "/root/.cloudflared/x.json":
               (0o400, '{"AccountTag":"%(account)s","TunnelSecret":"%(secret)s",'
                       '"TunnelID":"%(tunnel)s"}')}),
    "LoadCredential": one("LoadCredential=tunnel-token:/etc/cloudflared/x.token",
                          "DynamicUser=yes",
                          "ExecStart=%s --token-file %%%%d/tunnel-token" % RUN,
                          files={"/etc/cloudflared/x.token": private("%(token)s")}),
    "SetCredential": one("SetCredential=tunnel-token:%(token)s",
                         "ExecStart=%s --token-file %%%%d/tunnel-token" % RUN),
    "env in front": one("ExecStart=/usr/bin/env TUNNEL_TOKEN=%%(token)s %s" % RUN),
    "manager environment": one(
        "ExecStart=" + RUN,
        before_start=lambda host: host.host.run(
            "systemctl", "set-environment", "TUNNEL_TOKEN=" + host.values()["token"])),
    "LoadCredentialEncrypted": one(
        "LoadCredentialEncrypted=tunnel-token:/etc/cloudflared/x.cred",
        "ExecStart=%s --token-file %%%%d/tunnel-token" % RUN,
        before_start=lambda host: host.host.run(
            "sh", "-c", "mkdir -p /etc/cloudflared && systemd-creds encrypt --with-key=host "
            "--name=tunnel-token - /etc/cloudflared/x.cred", feed=host.values()["token"])),
    "renamed binary": one(
        "ExecStart=/opt/tunnel/tunneld --no-autoupdate tunnel run --token-file " + TOKEN_FILE,
        name="NAME-tunnel.service", files={TOKEN_FILE: private("%(token)s")},
        before_start=lambda host: host.host.run(
            "sh", "-c", "mkdir -p /opt/tunnel && ln -s /usr/bin/cloudflared /opt/tunnel/tunneld")),
    "template": Layout(
        {"cloudflared@.service":
         unit("ExecStart=%s --token-file /etc/cloudflared/%%%%i.token" % RUN)},
        {"/etc/cloudflared/a.token": private("%(token)s"),
         "/etc/cloudflared/b.token": private("%(token)s")},
        names=["cloudflared@a.service", "cloudflared@b.service"]),
    "condition": one("LoadCredential=t:%s" % TOKEN_FILE,
                     "ExecStart=%s --token-file ${CREDENTIALS_DIRECTORY}/t" % RUN,
                     files={TOKEN_FILE: private("%(token)s")}),
}
# Their old token lies nowhere where other users can read it.
NOTHING_STALE = {"manager environment", "LoadCredentialEncrypted"}
# Where the token goes instead of back into a place that every user can read.
KEPT_SAFE = {"stock until 2026.7.1", "dynamic user", "environment", "SetCredential", "env in front",
             "manager environment", "LoadCredentialEncrypted"}
WITHOUT_CREDENTIALS = unit(
    "ExecStartPre=/bin/sh -c 'test -z \"$$CREDENTIALS_DIRECTORY\"'",
    "ExecStart=%s --token-file %s" % (RUN, TOKEN_FILE))
# Units that cannot be brought in as they are.
STUBBORN = {
    # Their start fails as soon as systemd gives them a credential.
    "two that refuse a credential": Layout(
        {"cf-tunnel-a.service": WITHOUT_CREDENTIALS, "cf-tunnel-b.service": WITHOUT_CREDENTIALS},
        {TOKEN_FILE: private("%(token)s")}),
    "shell": one("ExecStart=/bin/sh -c 'exec cloudflared --no-autoupdate tunnel run --token "
                 '"$$(cat %s)"\'' % TOKEN_FILE, files={TOKEN_FILE: private("%(token)s")}),
    "secret manager": one(
        "ExecStart=/usr/local/bin/doppler run -- %s" % RUN,
        files={"/usr/local/bin/doppler":
               (0o755, "#!/bin/sh\nshift 2\nTUNNEL_TOKEN=$(cat %s)\nexport TUNNEL_TOKEN\n"
                       'exec "$@"\n' % TOKEN_FILE),
               TOKEN_FILE: private("%(token)s")}),
}
