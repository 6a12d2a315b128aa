#!/bin/sh
# Everything that must pass before a change is accepted; runs the same on a laptop. Needs a JDK 25, Maven, CMake and
# a C compiler, and says so if one is missing. Each step's output is kept in target/ci and shown if it fails.
# The last lines are Surefire's closing lines of mvn verify, one for each module with tests.
set -u
cd "$(dirname "$0")/.." || exit 1
logs=$PWD/target/ci
rm -rf "$logs" && mkdir -p "$logs" || exit 1
# What a shell happens to export must not decide which kernels are tested.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
failed=
step() {
    name=$1
    shift
    start=$(date +%s)
    if "$@" >"$logs/$name.log" 2>&1; then
        echo "ok      $name ($(($(date +%s) - start)) s)"
    else
        failed="$failed $name"
        echo "FAILED  $name ($(($(date +%s) - start)) s): $*"
        tail -n 300 "$logs/$name.log"
        echo
    fi
}
closing_lines() {
    grep -E '^\[[A-Z]+\] Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+$' "$logs/$1.log"
}
# Kernels are long functions without loops: with -O2 the compiler spends minutes on what sanitizers add to one of them.
sanitized_ctest() {
    cmake -S native -B "$logs/sanitized" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g" \
        -DCMAKE_C_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" \
        -DTARN_INSTALL_FOLDER=lib &&
        cmake --build "$logs/sanitized" --parallel 2 &&
        ctest --test-dir "$logs/sanitized" --output-on-failure --no-tests=error
}
# Kernel levels below the highest one, which mvn verify has tested. Above avx512 only BF16 differs, and the C tests go through
# all levels in any case.
lower_levels() {
    if grep -qw avx512vl /proc/cpuinfo 2>/dev/null; then
        echo ref blas avx2
    elif grep -qw avx2 /proc/cpuinfo 2>/dev/null || [ "$(uname -m)" = aarch64 ]; then
        echo ref blas
    else
        echo ref
    fi
}

ci/check-tools || exit 1
step sizes ci/size-check
step methods ci/methods-coverage
step verify mvn -B verify
step symbols ci/symbol-check
step sanitizers sanitized_ctest
for level in $(lower_levels); do
    # Format, coverage and the C tests do not depend on the level. Phase test would compile everything again, for it
    # sees folders of classes where verify saw jars.
    step "level-$level" mvn -B verify -Dtarn.level="$level" -Djacoco.skip -Dctest.skip=true -Dformat.skip=true
    closing_lines "level-$level"
done
grep -h 'tests passed' "$logs/verify.log" "$logs/sanitizers.log"
[ -z "$failed" ] || echo "FAILED:$failed"
closing_lines verify || failed="$failed verify"
[ -z "$failed" ]
