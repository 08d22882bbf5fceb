#include "keyturnd/exit_code.hpp"
#include "keyturnd/run.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <unistd.h>

/// keyturnd for the tunnels of this host alone. Where the policy has a tunnel on several hosts,
/// keyturnd-fleet continues in its place: with the same arguments, process and name in the journal.
int main(int argc, char** argv) {
    if (const auto exit_code = keyturn::run_keyturnd(argc, argv, {})) return *exit_code;
    std::signal(SIGHUP, SIG_IGN);  // A reload that comes meanwhile would end the process.
    const auto path = keyturn::find_keyturnd_fleet();
    if (path) ::execv(path->c_str(), argv);
    std::fprintf(stderr, "<3>keyturnd: %s\n",
                 path ? std::strerror(errno) : path.error().text.c_str());
    return keyturn::exit_error;
}
