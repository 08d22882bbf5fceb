# Where the files of this folder and of config/ go. systemd, D-Bus and polkit look for them under
# /usr only, and keyturnd.service starts /usr/bin/keyturnd: install with the prefix /usr.
set(here ${CMAKE_CURRENT_LIST_DIR})

install(FILES ${here}/keyturnd.service DESTINATION lib/systemd/system)
install(FILES ${here}/keyturn.sysusers DESTINATION lib/sysusers.d RENAME keyturn.conf)
install(FILES ${here}/keyturn.tmpfiles DESTINATION lib/tmpfiles.d RENAME keyturn.conf)
install(FILES ${here}/keyturn.catalog DESTINATION lib/systemd/catalog)
install(FILES ${here}/50-keyturn.rules DESTINATION share/polkit-1/rules.d)
install(FILES ${here}/org.keyturn.policy DESTINATION share/polkit-1/actions)
install(FILES ${here}/org.keyturn.Keyturn1.conf DESTINATION share/dbus-1/system.d)
install(FILES ${here}/../config/keyturn.yaml ${here}/../config/examples/cloudflared-web@.service
        DESTINATION share/doc/keyturn/examples)

install(FILES ${here}/../config/keyturn.schema.json DESTINATION share/keyturn)

set(man ${here}/../packaging/man)
install(FILES ${man}/keyturnctl.1 DESTINATION share/man/man1)
install(FILES ${man}/keyturn.yaml.5 DESTINATION share/man/man5)
install(FILES ${man}/keyturn-fleet.7 DESTINATION share/man/man7)
install(FILES ${man}/keyturnd.8 DESTINATION share/man/man8)

set(completions ${here}/../packaging/completions)
install(FILES ${completions}/keyturnctl.bash DESTINATION share/bash-completion/completions
        RENAME keyturnctl)
install(FILES ${completions}/keyturnctl.zsh DESTINATION share/zsh/vendor-completions
        RENAME _keyturnctl)
install(FILES ${completions}/keyturnctl.fish DESTINATION share/fish/vendor_completions.d)
