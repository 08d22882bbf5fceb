"""Ways to break a host, for the tests of `keyturnctl doctor`."""

import uuid

from doctor_host import OTHER, SYSTEM, UNIT, case, removes
from layouts import RUN, TOKEN_FILE
from scenario import wait_until
from scenario.cloudflare import READ_TOKEN

CONFIGURATION = "/etc/cloudflared/config.yml"
DROP_INS = SYSTEM + UNIT + ".d/"


@case("unit-reload")
def unit_file_is_edited(doctor):
    doctor.sh("sleep 1; echo '# edited' >>" + SYSTEM + UNIT)


@case("unit-drop-in-order", after=removes(DROP_INS + "zzzz-mine.conf"))
def drop_in_behind(doctor):
    doctor.drop_in("[Service]\nExecStart=\nExecStart=%s --token-file %s\n" % (RUN, TOKEN_FILE),
                   name="zzzz-mine")


@case("unit-not-adopted")
def drop_in_is_removed(doctor):
    doctor.remove(doctor.own_drop_in())


@case("unit-not-restarted")
def unit_runs_with_its_old_settings(doctor):
    path = doctor.own_drop_in()
    doctor.sh("mv %s /mnt/share/kept && systemctl daemon-reload && systemctl restart %s && "
              "mv /mnt/share/kept %s && systemctl daemon-reload" % (path, UNIT, path))
    doctor.stock.units.wait_full()


def without_configuration(doctor):
    """Remove what both units would read, and let root look again."""
    doctor.remove(CONFIGURATION)
    doctor.stock.adopt(*doctor.stock.units.names)


@case("unit-token-settings", after=without_configuration)
def configuration_with_a_token(doctor):
    doctor.stock.put(CONFIGURATION, 0o600,
                     "token: %s\n" % doctor.api.current()["token"])


def attested(*units):
    """Return the command with which root looks at units again."""
    return "keyturnctl doctor " + " ".join(units)


@case("attestation changed", after=without_configuration)
def configuration_appears(doctor):
    doctor.stock.put(CONFIGURATION, 0o644, "loglevel: info\n")


@case("attestation missing", after=without_configuration)
def nobody_has_looked(doctor):
    # keyturnd cannot read it.
    doctor.stock.put(CONFIGURATION, 0o600, "loglevel: info\n")
    doctor.sh("%s && rm /etc/keyturn/attested/%s.json" % (attested(UNIT, OTHER), UNIT))


@case("unit-inactive")
def unit_is_stopped(doctor):
    doctor.host.run("systemctl", "stop", UNIT)


@case("unit-restart")
def unit_does_not_restart(doctor):
    doctor.drop_in("[Service]\nRestart=no\n")


@case("unit-start-limit")
def unit_gives_up_soon(doctor):
    doctor.drop_in("[Service]\nRestartSec=100ms\n")


@case("unit-start-timeout")
def unit_without_start_timeout(doctor):
    doctor.drop_in("[Service]\nTimeoutStartSec=infinity\n")


@case("unit-stop-timeout")
def unit_is_killed_soon(doctor):
    doctor.drop_in("[Service]\nTimeoutStopSec=20\n")


@case("unit-needs-file", after=removes("/etc/default/gone"))
def unit_needs_a_lost_file(doctor):
    # Not EnvironmentFile=, which might set a token: root would have to look at the unit again.
    doctor.drop_in("[Unit]\nConditionPathExists=/etc/default/gone\n")


@case("unit-drags", by_hand=removes(SYSTEM + "shop.service"))
def unit_drags_another(doctor):
    doctor.stock.put(SYSTEM + "shop.service", 0o644,
                     "[Unit]\nPartOf=%s\n[Service]\nExecStart=/bin/sleep 600\n" % UNIT)
    doctor.sh("systemctl daemon-reload && systemctl start shop")


@case("unit-disconnected", before=lambda doctor: doctor.api.knobs(registration_error=""))
def unit_loses_its_connections(doctor):
    doctor.api.knobs(registration_error="later")
    doctor.api.drop(connector=doctor.stock.units.connector(UNIT))
    wait_until(lambda: doctor.stock.units.ready(UNIT) == 0, "a unit without connections")


WEB = "/etc/keyturn/keyturn.d/web.yaml"


PACKAGED = "/usr/lib/systemd/system/"


@case("unit-masked", after=lambda doctor: doctor.sh(
    "mv %s%s %s && systemctl daemon-reload" % (PACKAGED, UNIT, SYSTEM)))
def unit_is_masked(doctor):
    # The mask takes the place of a file of /etc, so the unit must be one of a package.
    doctor.sh("mv {0}{1} {2} && systemctl daemon-reload && systemctl mask {1}".format(
        SYSTEM, UNIT, PACKAGED))


@case("unit-unknown", edit="sed -i 's/, gone.service//' \"$1\"")
def policy_names_an_unknown_unit(doctor):
    doctor.sh("sed -i -E 's/\"?%s\"?/&, gone.service/' %s && systemctl reload keyturnd"
              % (OTHER, WEB))


@case("token-file gone")
def token_file_is_gone(doctor):
    doctor.sh("rm /var/lib/keyturn/tokens/web")


@case("token-file wide")
def token_file_is_wide(doctor):
    doctor.sh("chmod 644 /var/lib/keyturn/tokens/web")


@case("rotation-held")
def rotation_is_held(doctor):
    # systemd then reports a start that is done, and the unit does not run.
    doctor.drop_in("[Unit]\nConditionPathExists=/etc/default/gone\n", unit=OTHER)
    held = doctor.stock.keyturn.ctl("rotate", "web", "--follow")
    assert held.returncode == 3, held.stdout + held.stderr
    doctor.remove(SYSTEM + OTHER + ".d/00-test.conf")
    doctor.host.run("systemctl", "start", OTHER)
    doctor.stock.units.wait_full()


@case("token-file-old")
def somebody_else_rotates(doctor):
    doctor.api.rotate_by_hand()


@case("secret-readable")
def readable_token(doctor):
    doctor.stock.put(TOKEN_FILE, 0o644, doctor.api.current()["token"])


@case("keyturnd-running")
def keyturnd_is_stopped(doctor):
    doctor.host.run("systemctl", "stop", "keyturnd")


@case("keyturnd-enabled")
def keyturnd_is_disabled(doctor):
    doctor.host.run("systemctl", "disable", "keyturnd")


@case("keyturnd-reload", after=removes(SYSTEM + "keyturnd.service.d/90-test.conf"))
def keyturnd_gets_a_drop_in(doctor):
    doctor.stock.put(SYSTEM + "keyturnd.service.d/90-test.conf", 0o644, "[Unit]\n")


@case("keyturnd-policy")
def policy_has_lost_a_tunnel(doctor):
    more = "/etc/keyturn/keyturn.d/more.yaml"
    doctor.sh("sed 's/%s/%s/; s/^  web:/  more:/; s/cf-tunnel/more/g' %s >%s && "
              "systemctl reload keyturnd" % (doctor.api.tunnel, uuid.uuid4(), WEB, more))
    status = ("keyturnctl", "status", "--json")
    wait_until(lambda: '"more"' in doctor.host.run(*status, check=False).stdout,
               "keyturnd with one more tunnel")
    doctor.sh("rm " + more)


@case("keyturnd-second")
def another_keyturnd(doctor):
    doctor.sh("cp /bin/sleep /usr/local/sbin/keyturnd && systemd-run --quiet --collect "
              "/usr/local/sbin/keyturnd 600")


@case("policy-invalid", edit="rm \"$1\"")
def policy_with_an_unknown_key(doctor):
    doctor.stock.put("/etc/keyturn/keyturn.d/95-wrong.yaml", 0o644, "nonsense: 1\n")


@case("keyturnd-finding")
def keyturnd_has_not_seen_that_it_is_over(doctor):
    doctor.host.run("systemctl", "stop", UNIT)
    wait_until(lambda: doctor.stock.keyturn.status()["findings"], "a finding of keyturnd", 90)
    doctor.host.run("systemctl", "start", UNIT)
    doctor.stock.units.wait_full()


@case("polkit-rule")
def polkit_says_no(doctor):
    doctor.sh("sed -i 's/polkit.Result.YES/polkit.Result.NO/' "
              "/etc/polkit-1/rules.d/50-keyturn.rules && systemctl restart polkit")


@case("polkit-rule RefuseManualStart")
def unit_refuses_to_be_started(doctor):
    doctor.drop_in("[Unit]\nRefuseManualStart=yes\n")


@case("polkit-silent")
def polkit_hangs(doctor):
    doctor.sh("systemctl kill --signal=STOP polkit")


@case("state-directory")
def state_directory_is_open(doctor):
    doctor.sh("chmod 755 /var/lib/keyturn")


@case("api-token-missing", asks_for_token=True)
def api_token_is_gone(doctor):
    doctor.sh("rm /etc/keyturn/cloudflare-api-token")


@case("api-token-unusable", asks_for_token=True)
def api_token_is_none(doctor):
    doctor.stock.keyturn.write_api_token("NAME=value")


@case("api-token-mode")
def api_token_is_readable(doctor):
    doctor.sh("chmod 644 /etc/keyturn/cloudflare-api-token")


@case("api-token-invalid")
def api_token_is_unknown(doctor):
    doctor.stock.keyturn.write_api_token("cfut_unknown-000000000000000000000000001")


@case("api-token-permission")
def api_token_may_only_read(doctor):
    doctor.stock.keyturn.write_api_token(READ_TOKEN)


def no_more_faults(doctor):
    doctor.api.heal()


def refused(code, message):
    return {"success": False, "errors": [{"code": code, "message": message}], "messages": [],
            "result": None}


@case("api-token-address", by_hand=no_more_faults)
def api_token_is_for_another_address(doctor):
    doctor.api.fault("status", status=403, body=refused(
        9109, "Cannot use the access token from location: 192.0.2.1"))


@case("api-silent", by_hand=no_more_faults)
def api_is_down(doctor):
    doctor.api.fault("html", status=502)


@case("tunnel-unknown", by_hand=no_more_faults)
def tunnel_is_unknown(doctor):
    doctor.api.fault("status", path="*/cfd_tunnel/*", status=404,
                     body=refused(7003, "Could not route to ..."))


@case("tunnel-deleted", by_hand=lambda doctor: doctor.api.control(
    "POST", "/tunnels", {"id": doctor.api.tunnel, "deleted": False}))
def tunnel_is_deleted(doctor):
    doctor.api.control("POST", "/tunnels", {"id": doctor.api.tunnel, "deleted": True})


@case("connector-unknown", by_hand=no_more_faults)
def somebody_else_is_connected(doctor):
    listed = [{"id": item, "conns": [{"id": item}], "version": "2026.8.2"}
              for item in ["6ad8a4ae-5b3a-4d32-b9a8-3b9a7b1e5c01", *doctor.api.connectors()]]
    doctor.api.fault("status", path="*/connections", status=200,
                     body={"success": True, "errors": [], "messages": [], "result": listed})


@case("clock", by_hand=no_more_faults)
def clocks_differ(doctor):
    doctor.api.knobs(clock_skew_seconds=900.0)


def hosts_again(doctor):
    doctor.sh("cat /mnt/share/hosts >/etc/hosts")


@case("api-name", by_hand=hosts_again)
def api_has_no_address(doctor):
    doctor.sh("cp /etc/hosts /mnt/share/hosts && sed 's/api.cloudflare.test//' /mnt/share/hosts "
              ">/etc/hosts")


@case("api-port", by_hand=hosts_again)
def api_does_not_accept(doctor):
    doctor.sh("cp /etc/hosts /mnt/share/hosts && (sed 's/api.cloudflare.test//' /mnt/share/hosts; "
              "echo 192.0.2.1 api.cloudflare.test) >/etc/hosts")


@case("edge-name", by_hand=hosts_again)
def region_has_no_address(doctor):
    doctor.sh("cp /etc/hosts /mnt/share/hosts && sed '/region2/d' /mnt/share/hosts >/etc/hosts")


@case("edge-unreachable", by_hand=hosts_again)
def region_does_not_answer(doctor):
    doctor.sh("cp /etc/hosts /mnt/share/hosts && "
              "sed 's/127.0.0.1 region1/192.0.2.1 region1/' /mnt/share/hosts >/etc/hosts")


@case("edge-tcp", by_hand=hosts_again,
      after=lambda doctor: doctor.sh("systemctl stop quic@127.0.0.3"))
def no_tcp(doctor):
    doctor.sh("systemctl start quic@127.0.0.3 && cp /etc/hosts /mnt/share/hosts && "
              "sed 's/127.0.0.1 region1/127.0.0.3 region1/' /mnt/share/hosts >/etc/hosts")


@case("edge-udp", by_hand=lambda doctor: doctor.start_quic())
def no_quic(doctor):
    doctor.sh("systemctl stop quic@127.0.0.1")


@case("updater")
def updater_is_active(doctor):
    doctor.stock.put(SYSTEM + "cloudflared-update.service", 0o644,
                     "[Service]\nExecStart=/bin/true\n")
    doctor.stock.put(SYSTEM + "cloudflared-update.timer", 0o644,
                     "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n")
    doctor.sh("systemctl daemon-reload && systemctl start cloudflared-update.timer")


@case("other-rotator", edit="rm \"$1\"")
def cron_job(doctor):
    doctor.sh("mkdir -p /etc/cron.d")
    doctor.stock.put("/etc/cron.d/rotate", 0o644,
                     "0 3 * * * root curl -X PATCH https://api/accounts/x/cfd_tunnel/y\n")


@case("proxy", by_hand=lambda doctor: doctor.sh("systemctl unset-environment ALL_PROXY"))
def proxy_of_systemd(doctor):
    doctor.sh("systemctl set-environment ALL_PROXY=http://192.0.2.9:3128")


@case("unit-unmanaged", by_hand=removes(SYSTEM + "tunnel-other.service"))
def unit_that_is_not_in_the_policy(doctor):
    doctor.stock.put(SYSTEM + "tunnel-other.service", 0o644,
                     "[Service]\nExecStart=%s --token-file /etc/other\n" % RUN)
    doctor.sh("systemctl daemon-reload && systemctl start --no-block tunnel-other; true")
