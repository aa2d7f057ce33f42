# What follows is written by hand.

function __memfs_is_first
    test (count (commandline -opc)) -eq 1
end

function __memfs_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end

# The operands before the word that is being typed.
function __memfs_before
    set -l words (commandline -opc)
    set -l valued (__memfs_valued $words[2])
    set -l skip 0
    for word in $words[3..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word $valued
            set skip 1
        else if not string match -q -- '-?*' $word
            printf '%s\n' $word
        end
    end
end

function __memfs_images
    __fish_complete_suffix .mfs
end

# Where -C leads, with a slash behind; or nothing.
function __memfs_directory
    set -l words (commandline -opc)
    for option in -C --directory
        if set -l place (contains -i -- $option $words)
            printf '%s/\n' $words[(math $place + 1)] | string replace -r '^~/' "$HOME/"
            return
        end
    end
end

function __memfs_list # image, path
    set -l command (commandline -opc)[1]
    $command ls -- $argv 2>/dev/null | head -n 20000
end

# Names in the image that is the first operand, with a slash behind a directory's that stands alone.
function __memfs_paths
    set -l image (string replace -r '^~/' "$HOME/" -- (__memfs_before)[1])
    set -l directory (__memfs_directory)
    string match -q -- '/*' $image; or set image "$directory$image"
    test -f "$image"; or return
    set -l typed (commandline -ct | string unescape)
    set -l above (string match -r -- '.*/' $typed)
    set -l found
    for name in (__memfs_list $image (test -n "$above"; and echo $above; or echo /) | string match -v -r -- '[[:cntrl:]]')
        test (string sub -l (string length -- $typed) -- "$above$name") = "$typed"; and set -a found "$above$name"
    end
    # The slash asks for a directory: anything else has no listing.
    if test (count $found) = 1
        set -l command (commandline -opc)[1]
        $command ls -- $image $found[1]/ >/dev/null 2>&1; and set found $found[1]/
    end
    printf '%s\n' $found
end

function __memfs_operand
    set -l words (commandline -opc)
    set -l kinds (__memfs_operand_table $words[2])
    set -l place (math (count (__memfs_before)) + 1)
    set -l kind none
    if test (count $kinds) -gt 0; and test $kinds[-1] = ...
        set kind $kinds[-2]
        test $place -ge (count $kinds); or set kind $kinds[$place]
    else if test $place -le (count $kinds)
        set kind $kinds[$place]
    end
    switch $kind
        case file
            __fish_complete_path
        case directory
            __fish_complete_directories
        case image
            __memfs_images
        case path
            __memfs_paths
    end
end

complete -c memfs -n __memfs_is_first -a help -d 'show the help of a subcommand'
complete -c memfs -n __memfs_is_first -l help -d 'list the subcommands'
complete -c memfs -n __memfs_is_first -l version -d 'show the version'
complete -c memfs -n 'not __memfs_is_first' -a '(__memfs_operand)'
