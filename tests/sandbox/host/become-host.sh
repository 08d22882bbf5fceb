#!/bin/sh
# The first process of a test host: makes the root file system of the host out of this machine's (or
# out of TESTHOST_ROOT), then becomes systemd. testhost starts it in fresh pid, mount, uts, ipc and
# net namespaces and says in TESTHOST_* what to make. Nothing here outlives the mount namespace.
set -eu

root=$TESTHOST_DIR/mnt/root

# Only process 1 may be in the host's cgroup when systemd starts, and the cgroup namespace has to be
# made from inside it: so the step comes here, and the script begins anew.
if [ "${1-}" != in-cgroup ]; then
    read -r outer_pid _ </proc/self/stat # still the /proc of outside, so the pid as outside sees it
    echo "$outer_pid" >"$TESTHOST_DIR/pid"
    echo 0 >"$TESTHOST_CGROUP/cgroup.procs"
    exec unshare --cgroup -- /bin/sh "$0" in-cgroup
fi

# overlay FROM DISK TO: everything of FROM, writes go to DISK (relative paths: a ',' or ':' in
# them would end the option)
overlay() {
    mkdir -p "$2/upper" "$2/work" "$3"
    (cd "$2" && ln -sfn "$1" lower &&
        mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work "$3")
}

mount_root() {
    mount -t tmpfs -o mode=755 tmpfs "$TESTHOST_DIR/mnt"
    overlay "$TESTHOST_ROOT" "${TESTHOST_DISK:-$TESTHOST_DIR/mnt/disk}" "$root"
}

# Paths of this machine that would not be seen: on another file system than / (a container's
# volumes), or below a folder that the host has of its own (a clone in /tmp).
mount_seen() {
    number=0
    printf '%s' "$TESTHOST_SEE" | while read -r path; do
        number=$((number + 1))
        overlay "$path" "$TESTHOST_DIR/mnt/see$number" "$root$path"
    done
}

mount_kernel() {
    mount -t proc proc "$root/proc"
    # The settings of this machine's kernel are not the test's to change; its network's are.
    mount --bind "$root/proc/sys" "$root/proc/sys"
    mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
    mount -o remount,bind,ro "$root/proc/sys"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
}

mount_dev() {
    mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
    for node in null zero full random urandom tty; do
        : >"$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
    done
    : >"$root/dev/console"
    mount --bind /dev/null "$root/dev/console" # never the console of this machine
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"
    ln -s fd/1 "$root/dev/stdout"
    ln -s fd/2 "$root/dev/stderr"
}

mount_scratch() {
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs -o mode=755 tmpfs "$root/var/log"
    mkdir -p "$root/mnt/share" "$root/run/host"
    mount --bind "$TESTHOST_DIR/share" "$root/mnt/share"
    : >"$root/run/host/notify"
    mount --bind "$TESTHOST_DIR/notify" "$root/run/host/notify"
}

# want TARGET UNIT...: what is started with TARGET
want() {
    mkdir -p "$root/etc/systemd/system/$1.wants"
    for unit in "$@"; do
        [ "$unit" = "$1" ] ||
            ln -sf "/usr/lib/systemd/system/$unit" "$root/etc/systemd/system/$1.wants/$unit"
    done
}

# The units of this machine stay in place, but nothing starts of itself except what is named here.
choose_units() {
    if [ ! -e "$root/etc/testhost" ]; then # else a disk that has been booted before
        rm -rf "$root"/etc/systemd/system/* "$root"/usr/lib/systemd/system/*.wants \
            "$root"/usr/lib/systemd/system-generators/*
        echo "$TESTHOST_NAME" >"$root/etc/testhost"
        tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    fi
    want sysinit.target systemd-journald.service systemd-tmpfiles-setup.service
    want sockets.target dbus.socket systemd-journald.socket systemd-journald-dev-log.socket
    want multi-user.target dbus.service polkit.service
    mkdir -p "$root/etc/systemd/journald.conf.d"
    printf '%s\n' '[Journal]' Storage=volatile RateLimitIntervalSec=0 ForwardToSyslog=no Audit=no \
        >"$root/etc/systemd/journald.conf.d/testhost.conf"
}

name_host() {
    echo "$TESTHOST_NAME" >"$root/etc/hostname"
    printf '127.0.0.1 localhost %s\n::1 localhost\n%s' "$TESTHOST_NAME" "$TESTHOST_HOSTS" \
        >"$root/etc/hosts"
    ip link set lo up
    # With 127.0.0.1 alone, resolvers take the host for one without IPv4 (AI_ADDRCONFIG).
    ip address add 192.0.2.1/32 dev lo
}

enter_root() {
    cd "$root"
    mkdir -p .outside
    pivot_root . .outside
    umount -l /.outside
    rmdir /.outside
    # Without this, what systemd mounts for a unit (LoadCredential) does not reach the unit.
    mount --make-rshared /
}

mount_root
mount_kernel
mount_dev
mount_scratch
mount_seen
choose_units
name_host
enter_root
systemd-sysusers
exec env -i container=testhost "TESTHOST_DIR=$TESTHOST_DIR" NOTIFY_SOCKET=/run/host/notify \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --system --unit=multi-user.target --log-target=journal \
    --show-status=no
