#!/bin/sh
# Adds kvdesk to the menu of this person and to their command line, from where this folder lies.
#     ./install.sh           add, or add again after the folder was moved
#     ./install.sh --remove  take away again; clips, models and settings stay
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd -P)
data=${XDG_DATA_HOME:-$HOME/.local/share}
programs=$HOME/.local/bin

if [ "${1:-}" = --remove ]; then
    rm -f -- "$data/applications/kvdesk.desktop" "$data/metainfo/kvdesk.metainfo.xml"
    rm -f -- "$data/icons/hicolor/scalable/apps/kvdesk.svg"
    for size in 16 24 32 48 64 128 256 512; do
        rm -f -- "$data/icons/hicolor/${size}x$size/apps/kvdesk.png"
    done
    if [ "$(readlink -- "$programs/kvdesk" || true)" = "$here/kvdesk" ]; then
        rm -f -- "$programs/kvdesk"
    fi
    echo "kvdesk is gone from the menu. To delete it, delete $here"
    exit 0
fi

mkdir -p -- "$data" "$programs"
cp -R -- "$here/share/." "$data/"
# A path in quotes, in which these four have to be escaped; and in the file, \ and % once more.
quoted=$(printf '%s' "$here/kvdesk" | sed -e 's/["`$\\]/\\&/g' -e 's/\\/\\\\/g' -e 's/%/%%/g')
while IFS= read -r line; do
    case $line in
        Exec=*) printf 'Exec="%s"\n' "$quoted" ;;
        *) printf '%s\n' "$line" ;;
    esac
done < "$here/share/applications/kvdesk.desktop" > "$data/applications/kvdesk.desktop"
if [ -e "$programs/kvdesk" ] && [ ! -L "$programs/kvdesk" ]; then
    echo "There is another $programs/kvdesk, which stays as it is."
else
    ln -sfn -- "$here/kvdesk" "$programs/kvdesk"
fi
echo "kvdesk is in the menu. In a terminal: $programs/kvdesk"
