/**
 * The scripts that complete `zooid` in a shell. They ask `zooid complete`, whose first line says of what kind the others are, and quote
 * what they are given: names of znodes are other people's, and must not become a part of the program that the shell runs.
 */

const BASH = `# bash completion of zooid; in ~/.bashrc: source <(zooid completion bash)
_zooid() {
  local kind value
  COMPREPLY=()
  {
    IFS= read -r kind
    while IFS=$'\\t' read -r value _; do
      printf -v value %q "$value"
      COMPREPLY+=("$value")
    done
  } < <("$1" complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
  case $kind in
    files) compopt -o default ;;
    open) compopt -o nospace ;;
  esac
}
complete -F _zooid zooid`;

const ZSH = `#compdef zooid
# zsh completion of zooid; in ~/.zshrc behind compinit: source <(zooid completion zsh)
_zooid() {
  local -a found values
  found=("\${(@f)$(zooid complete words "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  values=("\${(@)found[2,-1]%%$'\\t'*}")
  found=("\${(@)found[2,-1]//$'\\t'/  }" "$found[1]")
  case $found[-1] in
    files) _files ;;
    open) compadd -S '' -a values ;;
    values) compadd -l -d found -a values ;;
  esac
}
compdef _zooid zooid`;

const FISH = `# fish completion of zooid; in ~/.config/fish/config.fish: zooid completion fish | source
function __zooid_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l found (zooid complete words $before[2..-1] "$current" 2>/dev/null)
    if test "$found[1]" = files
        __fish_complete_path "$current"
    else
        string join \\n -- $found[2..-1]
    end
end
complete -c zooid -f -a '(__zooid_complete)'`;

export const SCRIPTS: ReadonlyMap<string, string> = new Map([
  ["bash", BASH],
  ["zsh", ZSH],
  ["fish", FISH],
]);
