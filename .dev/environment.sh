# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Entering the environment that has the packages of .dev/packages.txt: the host, or a Debian root in the cache.

readonly suite=trixie
readonly recipe=1 # a new number makes every root anew; change it with the steps in make_root
readonly marker=etc/sluice-root

packages() { sed 's/#.*//' "$repo/.dev/packages.txt" | tr -s ' \t' '\n' | sed '/^$/d' | sort -u; }

# Names the set of packages: a root with another name is made when the list changes.
packages_id() { { echo "$suite $recipe $(uname -m)"; packages; } | sha256sum | cut -c1-12; }

# enter_environment ARGUMENTS...: returns where the packages are there; elsewhere it replaces this process by
# the same command inside the root.
enter_environment() {
    environment_id=$(packages_id)
    if [[ ${SLUICE_DEV_ROOT:-} != always ]]; then
        if [[ -e /$marker ]]; then
            [[ $(<"/$marker") == "$environment_id" ]] ||
                die "the package list has changed since this shell was started; leave the shell and run the command again"
            return
        fi
        if host_is_debian_13; then
            prepare_host
            environment_id=host-$environment_id
            return
        fi
    fi
    case $(uname -m) in
    x86_64 | aarch64) ;;
    *) die "this machine is $(uname -m); Sluice is built on x86-64 and arm64 only" ;;
    esac
    local root=$cache/root-$environment_id
    [[ -e $root/$marker ]] || make_root "$root"
    enter_root "$root" "$@"
}

# --- The host ------------------------------------------------------------------------------------------------

os_release() { (. /etc/os-release 2>/dev/null && eval "echo \"\${$1:-}\""); }

host_is_debian_13() {
    [[ $(os_release ID) == debian ]] || return 1
    local version
    version=$(os_release VERSION_ID)
    [[ -z $version ]] || ((${version%%.*} >= 13)) # testing and unstable have no number
}

prepare_host() {
    local missing
    missing=$(comm -23 <(packages) <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u))
    # shellcheck disable=SC2086  # a word each
    [[ -z $missing ]] || install_on_host "packages" $missing
}

# install_on_host WHAT PACKAGE...: with apt, as root or by sudo where it asks for no password.
install_on_host() {
    local what=$1 as_root=()
    shift
    local command="apt-get install -y --no-install-recommends $*"
    command -v apt-get >/dev/null ||
        die "please install $* with your distribution's package manager, then run this again"
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null ||
            die "$what must be installed first; run: sudo apt-get update && sudo $command"
        as_root=(sudo -n)
    fi
    say "installing $what with apt"
    if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $command; } >&2; then
        die "apt could not install $what; connect to the network, or mend what apt says above, and run this again"
    fi
}

# --- The root ------------------------------------------------------------------------------------------------

# make_root ROOT: makes it beside its final name and renames it at the end, so that a half-made one is never used.
make_root() {
    local root=$1
    lock_file 8 "$cache/root.lock" "making the Debian 13 root"
    if [[ -e $root/$marker ]]; then # the one that we waited for has made it
        unlock 8
        return
    fi
    remove_trees "$cache"/root-*.partial.* # of runs that were killed: we hold the lock, so none is alive
    install_root_tools
    check_bubblewrap
    need_space "$cache" 4 "the Debian 13 root" "set XDG_CACHE_HOME to a folder on a larger disk"
    ((EUID == 0)) || check_user_mode

    local partial=$root.partial.$$
    say "making a Debian 13 root in $root (only once; about 3 GiB and a few minutes)"
    # shellcheck disable=SC2064  # the name as it is now
    trap "remove_trees '$partial'" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    bootstrap "$partial" 2>&1 | tee "$cache/root.log" | show_progress || explain_bootstrap_failure
    # Places that files of the host are laid over, and a loader cache and certificates that need no rights later.
    mkdir -p "$partial/etc/ssl/certs" "$partial/usr/local/share/ca-certificates"
    rm -f "$partial/etc/resolv.conf"
    touch "$partial/etc/resolv.conf" "$partial/etc/hosts" "$partial/etc/ssl/certs/ca-certificates.crt"
    echo "$environment_id" >"$partial/$marker"
    rm -rf --one-file-system "$root"
    mv -T "$partial" "$root"
    trap - EXIT INT TERM HUP
    remove_old_roots "$root"
    unlock 8
    say "the root is ready ($(elapsed))"
}

install_root_tools() {
    local missing=()
    command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
    command -v bwrap >/dev/null || missing+=(bubblewrap)
    if ((EUID != 0)); then
        command -v newuidmap >/dev/null || missing+=(uidmap)
    fi
    [[ -e /usr/share/keyrings/debian-archive-keyring.gpg || -d /etc/apt/trusted.gpg.d && $(os_release ID) == debian ]] ||
        missing+=(debian-archive-keyring)
    ((${#missing[@]} == 0)) || install_on_host "${missing[*]}" "${missing[@]}"
    local tool
    for tool in mmdebstrap bwrap; do
        command -v $tool >/dev/null ||
            die "$tool is still missing; this distribution seems too old or unknown: use Debian 12 or newer, or install mmdebstrap and bubblewrap by hand"
    done
}

check_bubblewrap() {
    bwrap --ro-bind / / --dev-bind /dev /dev --proc /proc true 2>/dev/null && return
    ((EUID != 0)) ||
        die "bubblewrap may not make a sandbox here although you are root: this container has no rights for it; start the container with --privileged, or use Debian 13, where no sandbox is needed"
    die "bubblewrap may not make a sandbox: you are not root and this machine allows no user namespaces; run as root, or allow them with: sudo sysctl -w kernel.unprivileged_userns_clone=1 (on Ubuntu: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0)"
}

# What making a root without being root needs.
check_user_mode() {
    local user
    user=$(id -un)
    grep -qsE "^($user|$EUID):" /etc/subuid && grep -qsE "^($user|$EUID):" /etc/subgid ||
        die "you are not root and your user has no subordinate ids, which making a Debian root takes; run: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $user"
    export TMPDIR=${TMPDIR:-/var/tmp} # a folder that those ids can reach, with room
    need_space "$TMPDIR" 4 "the Debian 13 root" "set TMPDIR to a folder on a larger disk"
}

# bootstrap FOLDER: as root straight into the folder; otherwise in a user namespace, unpacked here as our own
# files, so that the sandbox can read and the user can delete them.
bootstrap() {
    local options=(--variant=minbase --verbose --include="$(packages | paste -sd,)") proxy
    options+=(--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*')
    options+=(--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright')
    proxy=$(apt-config dump Acquire::http::Proxy 2>/dev/null | sed -n 's/^Acquire::http::Proxy "\(.*\)";$/\1/p' || true)
    [[ -z $proxy ]] || options+=(--aptopt="Acquire::http::Proxy \"$proxy\"")
    if ((EUID == 0)); then
        mmdebstrap --mode=root "${options[@]}" "$suite" "$1" ${SLUICE_DEBIAN_MIRROR:+"$SLUICE_DEBIAN_MIRROR"}
        return
    fi
    mkdir -p "$1"
    mmdebstrap --mode=unshare --format=tar "${options[@]}" "$suite" - ${SLUICE_DEBIAN_MIRROR:+"$SLUICE_DEBIAN_MIRROR"} |
        tar -C "$1" -x --no-same-owner --exclude='./dev/*'
}

# Turns mmdebstrap's log into a percentage on a terminal, and a line for each tenth elsewhere.
show_progress() {
    local line total=0 done=0 percent last=-1 in_main=0
    while IFS= read -r line; do
        case $line in
        'I: downloading packages'*) say "downloading the base system ($(elapsed))" ;;
        'I: installing remaining'*) in_main=1 done=0 ;;
        *' newly installed, '*)
            line=${line#*, }
            total=${line%% newly*}
            ;;
        Get:* | 'Unpacking '* | 'Setting up '*)
            done=$((done + 1))
            ((in_main && total)) || continue
            percent=$((done * 100 / (3 * total)))
            ((percent <= 100)) || percent=100
            if [[ -t 2 ]]; then
                ((percent == last)) || printf '\rdev: installing %d packages: %3d %% (%s) ' "$total" "$percent" "$(elapsed)" >&2
            elif ((percent / 10 != last / 10 || last < 0)); then
                say "installing $total packages: $percent % ($(elapsed))"
            fi
            last=$percent
            ;;
        esac
    done
    if [[ -t 2 ]] && ((last >= 0)); then printf '\n' >&2; fi
}

explain_bootstrap_failure() {
    local log=$cache/root.log
    if grep -qiE 'no space left' "$log"; then
        die "the disk became full while the root was made; free 4 GiB in $cache (or set XDG_CACHE_HOME to a larger disk) and run this again"
    elif grep -qiE 'could not resolve|temporary failure|unable to connect|could not connect|connection (timed out|refused|failed)|network is unreachable|failed to fetch' "$log"; then
        die "the Debian packages cannot be downloaded; connect this machine to the network (and set http_proxy if it needs a proxy), then run this again; the log is $log"
    elif grep -qiE 'NO_PUBKEY|not signed|signature' "$log"; then
        die "this machine has no key to check Debian 13's packages with; install a newer debian-archive-keyring and run this again; the log is $log"
    elif grep -qiE 'unable to locate package|has no installation candidate' "$log"; then
        die "Debian 13 has no package that .dev/packages.txt names ($(grep -iE -m1 'unable to locate package|no installation candidate' "$log")); mend the list"
    fi
    die "mmdebstrap could not make the root: $(grep -m1 '^E: ' "$log" || tail -n 1 "$log"); mend that and run this again; the whole log is $log"
}

# A mmdebstrap that was killed leaves what it had mounted. Nothing below a mount may be touched.
unmount_below() {
    local mounted
    while read -r mounted; do
        umount "$mounted" 2>/dev/null || umount --lazy "$mounted" || die "cannot unmount $mounted, which a set-up that was killed left behind; unmount it and run this again"
    done < <(awk -v tree="$1/" 'index($5, tree) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
}

remove_trees() {
    local tree
    for tree in "$@"; do
        [[ -e $tree ]] || continue
        unmount_below "$tree"
        rm -rf --one-file-system "$tree" 2>/dev/null || { chmod -R u+rwX "$tree" && rm -rf --one-file-system "$tree"; }
    done
}

# Removes the roots of other package lists, save those in which something still runs: a run holds its root's lock.
remove_old_roots() {
    local old
    for old in "$cache"/root-*/; do
        old=${old%/}
        [[ -d $old && $old != "$1" && $old != *.partial.* ]] || continue
        exec 7>>"$old.lock"
        if flock -n 7; then
            say "removing $old"
            remove_trees "$old"
            rm -f "$old.lock"
        fi
        exec 7>&-
    done
}

# enter_root ROOT ARGUMENTS...: replaces this process by ./dev ARGUMENTS inside the root. The system folders are
# the root's and read-only; home, cache, /tmp, devices and the current folder are the host's.
enter_root() {
    local root=$1
    shift
    command -v bwrap >/dev/null || install_root_tools
    exec 9>>"$root.lock"
    flock -s 9 # held until the command ends: remove_old_roots looks at it
    local sandbox=(--die-with-parent --ro-bind "$root/usr" /usr --ro-bind "$root/etc" /etc)
    local name folder
    for folder in "$root"/var/*/*; do # one by one, so that a home below /var can be laid beside them
        [[ ! -e $folder ]] || sandbox+=(--ro-bind "$folder" "${folder#"$root"}")
    done
    for name in bin sbin lib lib64 lib32; do
        [[ ! -L $root/$name ]] || sandbox+=(--symlink "$(readlink "$root/$name")" "/$name")
    done
    ((EUID == 0)) || sandbox+=(--unshare-user --uid "$EUID" --gid "$(id -g)")
    sandbox+=(--dev-bind /dev /dev --proc /proc --ro-bind-try /sys /sys --dir /run --perms 1777 --tmpfs /var/tmp)
    for name in /etc/resolv.conf /etc/hosts /etc/passwd /etc/group; do
        [[ ! -e $name ]] || sandbox+=(--ro-bind "$(readlink -f "$name")" "$name")
    done
    if [[ -s /etc/ssl/certs/ca-certificates.crt ]]; then # a company's own authority is in here
        sandbox+=(--ro-bind /etc/ssl/certs /etc/ssl/certs --ro-bind-try /usr/local/share/ca-certificates /usr/local/share/ca-certificates)
        sandbox+=(--setenv NODE_EXTRA_CA_CERTS "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}")
    fi
    # Tests look for data beside the checkout, and skip where there is none.
    for folder in "$(dirname "$repo")" "${SLUICE_WEBNN_VECTORS:-}"; do
        case $folder in
        '' | / | /usr | /usr/* | /etc | /etc/*) ;;
        *) sandbox+=(--ro-bind-try "$folder" "$folder") ;;
        esac
    done
    for folder in /tmp "$HOME" "$cache" "${CCACHE_DIR:-}" "${XDG_RUNTIME_DIR:-}" "$repo" "$PWD"; do
        case $folder in
        / | /proc/* | /sys/* | /dev/*) continue ;;
        /usr | /usr/* | /etc | /etc/*)
            [[ $folder == "$PWD" && -d $root$folder ]] || die "$folder lies in a system folder, which the sandbox replaces; move it to a home folder and run this again"
            continue
            ;;
        esac
        [[ ! -d $folder ]] || sandbox+=(--bind "$folder" "$folder")
    done
    for name in LD_PRELOAD LD_LIBRARY_PATH PYTHONHOME PYTHONPATH GST_PLUGIN_SYSTEM_PATH GST_PLUGIN_SYSTEM_PATH_1_0; do
        sandbox+=(--unsetenv "$name")
    done
    sandbox+=(--unsetenv SLUICE_DEV_ROOT --setenv PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
    exec bwrap "${sandbox[@]}" --chdir "$PWD" "$repo/dev" "$@"
}
