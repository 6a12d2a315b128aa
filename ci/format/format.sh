#!/bin/sh
# format.sh CLASSPATH OPTION...: runs the formatter on all Java sources, on a JDK that understands them. Prints the
# files that are not as they should be; with --set-exit-if-changed it then fails.
cd "$(dirname "$0")/../.." || exit 1
classpath=$1
shift
exports=
for package in api code file parser tree util; do
    exports="$exports --add-exports=jdk.compiler/com.sun.tools.javac.$package=ALL-UNNAMED"
done
# shellcheck disable=SC2086 # options are words
if ! find ffm-bindings runtime models bench -name target -prune -o -name '*.java' -print |
    xargs "$(ci/find-jdk)/bin/java" $exports -cp "$classpath" com.palantir.javaformat.java.Main --palantir "$@"; then
    echo "The files above are not formatted: run ci/format/apply." >&2
    exit 1
fi
