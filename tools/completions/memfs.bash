# What follows is written by hand; it needs nothing of bash-completion but to be sourced.

# The words before the current one: image, the first operand; place, the number of the
# operand that is being typed, from 0; directory, where -C leads.
_memfs_look_back()
{
    local subcommand=${COMP_WORDS[1]} i word options operands argument
    image= directory= place=0
    for ((i = 2; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        [[ $word != = ]] || continue
        _memfs_argument "$subcommand $word"
        if [[ -n $argument ]]; then
            [[ ${COMP_WORDS[i + 1]} != = ]] || ((i++))
            ((i++))
            case $word in -C | --directory) directory=${COMP_WORDS[i]} ;; esac
        elif [[ $word != -?* ]]; then
            [[ $place != 0 ]] || image=$word
            ((place++))
        fi
    done
}

# A word as the shell would understand it: without quotes, and with its home.
_memfs_plain()
{
    plain=$1
    [[ $plain != \~/* ]] || plain=$HOME/${plain#\~/}
    plain=${plain//[\"\']/}
    plain=${plain//\\/}
}

_memfs_list() # path in the image; "" for its root
{
    "${COMP_WORDS[0]}" ls ${directory:+-C "$directory"} -- "$image" "${1:-/}" 2>/dev/null
}

# Names in the image, of so many in a directory that nobody waits. They may come from anyone: they are never evaluated, as
# compgen -W would, and those that could move the cursor are not offered.
_memfs_paths()
{
    local plain name above=
    _memfs_plain "$directory" && directory=$plain
    _memfs_plain "$image" && image=$plain
    [[ -f ${directory:+$directory/}$image ]] || return
    _memfs_plain "$cur"
    [[ $plain != */* ]] || above=${plain%/*}/
    while IFS= read -r name; do
        [[ $above$name == "$plain"* && $name != *[[:cntrl:]]* ]] || continue
        COMPREPLY+=("$above$name")
    done < <(_memfs_list "$above" | head -n 20000)
    compopt -o filenames
    # The slash asks for a directory: anything else has no listing.
    if [[ ${#COMPREPLY[@]} = 1 ]] && _memfs_list "${COMPREPLY[0]}/" >/dev/null; then
        COMPREPLY[0]+=/
        compopt -o nospace
    fi
}

_memfs_files() # compgen's options
{
    local IFS=$'\n'
    local found
    mapfile -t found < <(compgen "$@" -- "$cur")
    COMPREPLY+=("${found[@]}")
    compopt -o filenames
}

_memfs_offer() # what kind, words
{
    case $1 in
    words) COMPREPLY=($(compgen -W "${*:2}" -- "$cur")) ;;
    subcommand) COMPREPLY=($(compgen -W "$_memfs_subcommands" -- "$cur")) ;;
    file) _memfs_files -f ;;
    directory) _memfs_files -d ;;
    image)
        _memfs_files -f -X '!*.mfs'
        _memfs_files -d
        ;;
    path) _memfs_paths ;;
    esac
}

# Which kind the operand at place is: one followed by "..." is the last.
_memfs_operand()
{
    local -a kinds
    read -r -a kinds <<<"$operands"
    local i last=
    for ((i = 0; i < ${#kinds[@]}; i++)); do
        if [[ ${kinds[i]} = ... ]]; then
            kind=$last
            return
        fi
        last=${kinds[i]}
        kind=$last
        [[ $i != "$place" ]] || return 0
    done
    kind=none
}

_memfs()
{
    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local subcommand=${COMP_WORDS[1]} options= operands= words= argument= image= directory= place=0 kind=
    COMPREPLY=()
    if [[ $COMP_CWORD = 1 ]]; then
        COMPREPLY=($(compgen -W "$_memfs_subcommands --help --version" -- "$cur"))
        return
    fi
    # "--share=p" is three words.
    if [[ $cur = = ]]; then
        cur=
    elif [[ $before = = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    _memfs_table "$subcommand"
    _memfs_argument "$subcommand $before"
    if [[ -n $argument ]]; then
        # shellcheck disable=SC2086
        _memfs_offer $argument
    elif [[ $cur = -* ]]; then
        # Words of find's language follow the operands, options stand before them.
        _memfs_look_back
        [[ -z $words || $place = 0 ]] || options=$words
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
    else
        _memfs_look_back
        _memfs_operand
        _memfs_offer "$kind"
    fi
}
complete -F _memfs memfs
