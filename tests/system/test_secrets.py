"""No secret is left anywhere by what went wrong: on the host that the tests of faults share.

It looks for every token that the tunnel had on that host, so it finds the most at the end of a run
of all system tests; by itself it looks at what its own faults leave behind.
"""

from fault_checks import FIRST, check_held, with_rollout
from scenario.cloudflare import READ_TOKEN, WRITE_TOKEN, token_text
from secret_forms import forms_of, scan

WRONG_TOKEN = "cfut_wrong-0000000000000000000000000001"
# What an answer of the API may hold of secrets that it was sent.
ECHO = '{"success":false,"errors":[{"code":1003,"message":"bad secret %s for %s"}]}'


def secrets_of(scenario):
    """Return every form of every secret there was: {what it is: bytes}."""
    found = {"API token": WRITE_TOKEN.encode(), "API token to read": READ_TOKEN.encode(),
             "wrong API token": WRONG_TOKEN.encode()}
    for number, secret in enumerate(scenario.cloudflare.secrets()):
        found.update(forms_of("token %d" % number, token_text(scenario.cloudflare.tunnel, secret)))
    return found


def fail_in_many_ways(scenario):
    """A refusal, answers that repeat secrets, broken answers, a lost PATCH, a hold."""
    scenario.keyturn.write_api_token(WRONG_TOKEN)
    scenario.keyturn.restart()
    scenario.keyturn.ctl("rotate", "web", "--follow")
    scenario.keyturn.write_api_token(WRITE_TOKEN)
    with_rollout(scenario, healthy_deadline="2s")
    token = scenario.cloudflare.current()["token"]
    echo = ECHO % (scenario.cloudflare.current()["secret"], WRITE_TOKEN)
    scenario.cloudflare.fault("status", method="GET", path="*/token", status=400, body=echo,
                              times=1)
    scenario.keyturn.ctl("rotate", "web", "--follow")
    scenario.units.drop_in("broken", "[Service]\nExecStartPre=+/bin/false\n", unit=FIRST)
    scenario.cloudflare.fault("apply-status", method="PATCH", status=500, body=echo + token,
                              times=1)
    scenario.cloudflare.fault("truncate", method="GET", path="*/token", after=2, times=1)
    scenario.keyturn.rotate()
    check_held(scenario, "verification_failed", FIRST)


def test_no_secret_is_left_by_what_went_wrong(scenario):
    fail_in_many_ways(scenario)
    secrets = secrets_of(scenario)
    assert len(scenario.cloudflare.secrets()) >= 2
    result = scan(scenario, secrets)
    assert result["found"] == []
    assert all(size > 0 for size in result["looked_at"].values()), result["looked_at"]
