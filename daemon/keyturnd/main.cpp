#include "keyturnd/exit_code.hpp"
#include "keyturnd/run.hpp"
#include "other_program.hpp"

#include <csignal>
#include <cstdio>
#include <cstring>

/// keyturnd for the tunnels of this host alone. Where the policy has a tunnel on several hosts,
/// keyturnd-fleet continues in its place: with the same arguments, process and name in the journal.
int main(int argc, char** argv) {
    if (const auto exit_code = keyturn::run_keyturnd(argc, argv, {})) return *exit_code;
    std::signal(SIGHUP, SIG_IGN);  // A reload that comes meanwhile would end the process.
    const int error =
        keyturn::become({"../libexec/keyturn", "../keyturnd-fleet"}, "keyturnd-fleet", argv);
    std::fprintf(stderr,
                 "<3>keyturnd: cannot start keyturnd-fleet, which the `coordinator:` of the policy "
                 "needs: %s; install keyturn again\n",
                 std::strerror(error));
    return keyturn::exit_error;
}
