"""Where the parts of the sandbox and of the product are."""

import pathlib

REPOSITORY = pathlib.Path(__file__).resolve().parents[4]
SANDBOX = REPOSITORY / "tests" / "sandbox"
MODEL = SANDBOX / "cloudflare" / "sandbox-cloudflare"
MAKE_CERTIFICATES = SANDBOX / "cloudflare" / "make-certificates"
STAND_IN = SANDBOX / "cloudflared" / "cloudflared"
S3 = SANDBOX / "s3" / "sandbox-s3"
TRAFFIC = SANDBOX / "traffic" / "traffic"
AGENT = SANDBOX / "scenario" / "scenario" / "agent.py"
EXAMPLE_UNIT = REPOSITORY / "config" / "examples" / "cloudflared-web@.service"
EVENT_TABLE = REPOSITORY / "lib" / "journal" / "event.cpp"
INSTALL = REPOSITORY / "packaging" / "install"
BUILD_PACKAGE = REPOSITORY / "packaging" / "build"
MAKE_BARE_DEBIAN = SANDBOX / "host" / "bare-debian"
BARE_DEBIAN = REPOSITORY / "build" / "bare-debian"
PACKAGES = REPOSITORY / "build" / "packages"


def built_package():
    """Return the package that `packaging/build deb` has made."""
    found = sorted(PACKAGES.glob("keyturn_*.deb"))
    if len(found) != 1:
        raise FileNotFoundError("there is no package in %s: run packaging/build deb" % PACKAGES)
    return found[0]
