#!/usr/bin/env bash
# miniprogram-compiler 0.2.3 (npm), which brings WeChat's own compiler of style sheets, wcsc, for Linux
#
# Design tokens in :root and a rule for wide screens, as in any style sheet, written with WeChat's unit rpx.
# Guess: wcsc refuses what WXSS does not have, as it refuses `*`; and rpx is converted wherever a length may be.
# Really, with exit 0 and no word:
#   The selector :root is dropped and its block is kept, `{ --gap: … }`. A browser skips a block without a selector, so
#   every var() of the program is empty. In a list, `:root, .a { … }`, the others stay.
#   rpx in the condition of @media stays text, while it is converted inside the block (%%?…?%% below is what a phone
#   replaces). No browser knows the unit, so the block never applies.
# Why it matters: "the official compiler accepts it" is a check that passes, and distances and colors are gone on the
#   phone. Tokens belong to the selector `page`, and conditions of @media are in px.
set -euo pipefail
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund miniprogram-compiler@0.2.3
wcsc=node_modules/miniprogram-compiler/bin/linux/wcsc
chmod +x "$wcsc"
"$wcsc" --help 2>&1 | grep -o 'Version v[^ ]*'
compile() {
    printf '%s\n' "$1" > a.wxss
    "$wcsc" a.wxss > out 2>/dev/null && code=0 || code=$?
    echo "$1 => exit $code: |$(tr -s '\n ' ' ' < out)|"
}
{
    compile '* { color: red }'
    compile 'page { --gap: 24rpx }'
    compile ':root { --gap: 24rpx }'
    compile ':root, .a { --gap: 24rpx }'
    compile '@media (min-width: 750rpx) { .a { width: 24rpx } }'
} | tee seen
diff - seen <<'SEEN' || { echo "changed"; exit 1; }
* { color: red } => exit 1: ||
page { --gap: 24rpx } => exit 0: |body { --gap: %%?24rpx?%% } |
:root { --gap: 24rpx } => exit 0: | { --gap: %%?24rpx?%% } |
:root, .a { --gap: 24rpx } => exit 0: | .%%HERESUFFIX%%a { --gap: %%?24rpx?%% } |
@media (min-width: 750rpx) { .a { width: 24rpx } } => exit 0: |@media (min-width: 750rpx) { .%%HERESUFFIX%%a { width: %%?24rpx?%% } }|
SEEN
