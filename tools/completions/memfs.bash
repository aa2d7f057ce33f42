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

# Whether a path in the image leads to a directory: the slash asks for one.
_memfs_is_directory()
{
    "${COMP_WORDS[0]}" ls ${directory:+-C "$directory"} -d -- "$image" "$1/" >/dev/null 2>&1
}

_memfs_list() # path in the image with a slash behind; "./": its root
{
    "${COMP_WORDS[0]}" find ${directory:+-C "$directory"} -- "$image" "$1" -mindepth 1 -maxdepth 1 -print0 2>/dev/null
}

# Names in the image, of so many in a directory that nobody waits. They may come from anyone: they are never evaluated, as
# compgen -W would, and those that could move the cursor are not offered.
_memfs_paths()
{
    local plain name above=./ count=0
    _memfs_plain "$directory" && directory=$plain
    _memfs_plain "$image" && image=$plain
    [[ -f ${directory:+$directory/}$image ]] || return
    _memfs_plain "$cur"
    [[ $plain != */* ]] || above=${plain%/*}/
    # What begins with a dash is an option, unless something stands before it.
    [[ $above != -* ]] || above=./$above plain=./$plain
    while ((count++ < 20000)) && IFS= read -r -d '' name; do
        [[ $plain == */* || $name == ./-* ]] || name=${name#./}
        [[ $name == "$plain"* && $name != *[[:cntrl:]]* ]] || continue
        [[ ${name##*/} != .* || ${plain##*/} == .* ]] || continue
        COMPREPLY+=("$name")
    done < <(_memfs_list "$above")
    compopt -o filenames
    if [[ ${#COMPREPLY[@]} = 1 ]] && _memfs_is_directory "${COMPREPLY[0]}"; then
        COMPREPLY[0]+=/
        compopt -o nospace
    fi
}

_memfs_files() # compgen's options
{
    local IFS=$'\n'
    local found name
    mapfile -t found < <(compgen "$@" -- "$cur")
    for name in "${found[@]}"; do
        # A piece of a name with a newline is no file, and "-rf" would be an option.
        [[ -e ${name/#\~\//"$HOME"/} || -L $name ]] || continue
        [[ $name != -* ]] || name=./$name
        COMPREPLY+=("$name")
    done
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
