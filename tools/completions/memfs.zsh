# What follows is written by hand.

_memfs_list() { # path in the image; "" for its root
    local -a at
    [[ -z ${opt_args[-C]}${opt_args[--directory]} ]] || at=(-C ${(Q)opt_args[-C]:-${opt_args[--directory]}})
    $service ls $at -- ${${(Q)line[1]}/#\~\//$HOME/} "${1:-/}" 2>/dev/null | head -n 20000
}

# Names in the image that is the first operand; those that could move the cursor are not offered.
_memfs_paths() {
    local above=${(M)${(Q)PREFIX}##*/} name
    local -a names found
    names=(${(f)"$(_memfs_list "$above")"})
    names=(${names:#*[[:cntrl:]]*})
    found=(${(M)names:#${(b)${${(Q)PREFIX}#$above}}*})
    [[ -z $above ]] || compset -P '*/'
    # The slash asks for a directory: anything else has no listing.
    if (( $#found == 1 )) && _memfs_list "$above$found[1]/" >/dev/null; then
        compadd -S / -q -a found
    else
        compadd -a names
    fi
}

_memfs() {
    local curcontext=$curcontext
    if (( CURRENT == 2 )); then
        _describe -t commands subcommand _memfs_subcommands
        compadd -- --help --version
        return
    fi
    local subcommand=$words[2]
    shift words
    (( CURRENT-- ))
    if [[ $subcommand == help ]]; then
        _describe -t commands subcommand _memfs_subcommands
    elif (( $+functions[_memfs_$subcommand] )); then
        _memfs_$subcommand
    fi
}

if [[ $funcstack[1] == _memfs ]]; then
    _memfs "$@"
else
    compdef _memfs memfs
fi
