"""Secrets have their own type, and only a few files may read their bytes."""

import re

from house.rule import Plant, Rule

# Last words of a name that mean that the text itself is secret.
_SECRET_WORD = re.compile(
    r"(?:^|_)(?:secrets?|bearer|api_tokens?|passwords?|passphrase|tokens?|authorization_header)"
    r"(?:_(?:text|value|bytes|base64|json|body|line|string|data))?_?$")
# Names that sound like a secret but are none, each with its reason.
ALLOWED_NAMES = {
    "without_secrets",  # Returns a text without its secrets.
}
_STRING = re.compile(
    r"std::string\b(?!_view)(?:>|\s|[&*]|const\b)*\s*\b([a-z_]\w*)\s*(?=[;,)=({:\[])")

# The files that may read the bytes of a Secret. A new entry needs a good reason.
REVEAL_HOMES = re.compile(
    r"lib/base/secret\.(?:hpp|cpp)$"
    r"|lib/token/[^/]+\.cpp$"                      # Encodes and decodes them.
    r"|lib/delivery/[^/]+\.cpp$"                   # Writes them to token files.
    r"|lib/http/[^/]+\.cpp$"                       # Sends them.
    r"|lib/shared_object/[^/]+\.cpp$"              # Signs with them; reads files and answers.
    r"|lib/cloudflare/(?:tunnel_api|answer_faults)\.cpp$"  # An answer's body may hold one.
    r"|lib/credential/[^/]+\.cpp$"                 # Reads them.
    r"|lib/cloudflared/connectors\.cpp$"           # Every body is a Secret, also that of /ready.
    r"|lib/cloudflared/connector_files\.cpp$"       # Looks for keys in files that may hold one.
    r"|lib/cloudflare/api_token_check\.cpp$"       # As for tunnel_api.
    r"|daemon/keyturnctl/login_path\.cpp$"         # Reads the environment of a process.
    r"|lib/doctor/[^/]+_look\.cpp$"                # Every file of the host may hold one.
    r"|lib/doctor/redactor\.cpp$"                  # Looks for them in order to cut them out.
    r"|daemon/keyturn-setup/(?:doctor|rights)\.cpp$"  # Files and output are read into one.
    r"|lib/state/state_store\.cpp$"                # Files are read into one.
    r"|lib/fleet/(?:cipher|keys)\.cpp$"            # Seals tokens; has the fleet keys.
    r"|lib/state/tunnel_files\.cpp$"                # As for state_store.
    r"|lib/member/(?:fleet_tokens|fleet_place|follower_shell|hand_out)\.cpp$"  # Pass on tokens.
    r"|lib/executor/[^/]+\.cpp$"                   # Passes tokens to lib/token.
    r"|(?:lib/setup|daemon/keyturn-setup)/[^/]+\.cpp$")  # Any file of a unit may hold one.


def find_secret_strings(tree):
    for file in tree.cpp("lib", "daemon"):
        for number, line in enumerate(file.code_lines, 1):
            for found in _STRING.finditer(line):
                name = found.group(1)
                if _SECRET_WORD.search(name) and name not in ALLOWED_NAMES:
                    yield file.path, number, f"`{name}` is a std::string, never wiped; use Secret"


def find_reveals(tree):
    for file in tree.cpp("lib", "daemon"):
        if REVEAL_HOMES.match(file.path):
            continue
        for number, line in enumerate(file.code_lines, 1):
            if re.search(r"\breveal\s*\(\s*\)", line):
                yield file.path, number, "reveal() outside of the files that may (secrets.py)"


RULES = (
    Rule("secret string", find_secret_strings, (
        Plant("lib/a/a.hpp", "struct A {\n    std::string tunnel_secret;\n};\n", (2,)),
        Plant("lib/a/a.hpp", "void f(const std::string& bearer);\n", (1,)),
        Plant("lib/a/a.hpp", "void f(int x, std::string api_token = {});\n", (1,)),
        Plant("lib/a/a.hpp", "std::vector<std::string> old_tokens;\n", (1,)),
        Plant("lib/a/a.cpp", "std::string secret_text() { return {}; }\n", (1,)),
        Plant("lib/a/a.cpp", "const std::string token{read()};\n", (1,)),
        Plant("lib/a/a.hpp", "std::optional<std::string> password_;\n", (1,)),
        Plant("lib/a/a.hpp", "std::string token_file;\nstd::string tokens_directory;\n"
              "std::string rotation_id;\nSecret secret;\nf(std::string_view token);\n"
              "// std::string secret;\nstd::string encode(const Secret& secret);\n"),
    )),
    Rule("reveal", find_reveals, (
        Plant("lib/journal/a.cpp", "f(secret.reveal());\n", (1,)),
        Plant("lib/http/http_client.cpp", "f(secret.reveal());\n"),
        Plant("lib/journal/a.cpp", "// Nobody may reveal() it here.\n"),
        Plant("tests/unit/a.cpp", "f(secret.reveal());\n"),
    )),
)
