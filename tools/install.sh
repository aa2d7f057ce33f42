#!/bin/sh
# Installs or removes files: DESTDIR=dir tools/install.sh install|uninstall <LIST
#
# A line of the list is "MODE SOURCE TARGET" with tabs between them, or "link CONTENTS TARGET"
# for a symbolic link. Directories are made as needed; of those only one whose name is
# the project's own is removed, since any other may be someone else's.
set -eu
action=$1
umask 022
tab=$(printf '\t')
while IFS=$tab read -r mode source target; do
    [ -n "$mode" ] || continue
    target=${DESTDIR:-}$target
    case $action,$mode in
    uninstall,*)
        rm -f "$target"
        directory=${target%/*}
        if [ "${directory##*/}" = memfs ]; then rmdir "$directory" 2>/dev/null || :; fi
        ;;
    install,link)
        install -d "${target%/*}"
        ln -sf "$source" "$target"
        ;;
    install,*)
        install -d "${target%/*}"
        install -m "$mode" "$source" "$target"
        ;;
    *)
        echo "install.sh: unknown action: $action" >&2
        exit 2
        ;;
    esac
done
# The loader's list of libraries, where it is the host's own that has changed.
if [ -z "${DESTDIR:-}" ] && [ "$(id -u)" = 0 ]; then ldconfig 2>/dev/null || :; fi
