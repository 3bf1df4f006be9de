# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The commands of ./dev: parse_NAME checks the arguments on the host, run_NAME does the work in the environment.

build=$repo/build
python=/usr/bin/python3
programs=(gst-plugins/libgstsluice.so pipelines/cli/sluice) # what a user runs: all but the tests
embedding=(pipelines/embed/hide_faces_picture pipelines/embed/hide_faces_video)

# needs_value OPTION [VALUE]..., needs_number OPTION [VALUE]...: ends with a message if the value is not there.
needs_value() { (($# > 1)) && [[ -n $2 ]] || misuse "$1 needs a value after it"; }

needs_number() {
    needs_value "$@"
    [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || misuse "$1 must be a whole number from 1 on, not '$2'"
}

unknown() { misuse "$1 does not know '$2'; see ./dev $1 --help"; }

# --- Building ------------------------------------------------------------------------------------------------

# What programs that we run and tests need to find: the plugin, the program, the models.
export_paths() {
    export GST_PLUGIN_PATH=$build/gst-plugins${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
    export GST_REGISTRY=$build/gst-registry.bin
    export PATH=$build/pipelines/cli:$build/pipelines/embed:$PATH
    export SLUICE_MODEL_PATH=$cache/models${SLUICE_MODEL_PATH:+:$SLUICE_MODEL_PATH}
    export SLUICE_FOOTAGE_PATH=$cache/footage SLUICE_TWINS_PATH=$cache/twins
}

# configure OPTION...: sets the build folder up, afresh if the packages or the options are others than last time.
configure() {
    local wanted="$environment_id $*" log
    [[ $(cat "$build/.configured" 2>/dev/null) != "$wanted" ]] || return 0
    need_space "$repo" 2 "the build"
    say "configuring ${build#"$repo"/}"
    rm -rf "$build"
    log=$(CC_LD=mold CXX_LD=mold meson setup "$build" "$repo" "$@" 2>&1 6>&-) || {
        printf '%s\n' "$log" >&2
        die "meson could not configure the build; its message is above"
    }
    echo "$wanted" >"$build/.configured"
}

# build_targets [TARGET...]: with ninja's progress on stderr; silent when all is built.
build_targets() {
    [[ -f $repo/meson.build ]] || die "there is no meson.build in $repo; restore it from git"
    export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache} CCACHE_BASEDIR=$repo CCACHE_NOHASHDIR=1
    lock_folder 6 "$repo/.dev" "building"
    configure "${build_options[@]}"
    if [[ $(ninja -C "$build" -n "$@" 2>&1) != *'no work to do'* ]]; then
        ninja -C "$build" "$@" 6>&- >&2 || build_failed
    fi
    unlock 6
}

build_failed() {
    local free
    free=$(df -Pk "$repo" | awk 'NR == 2 { print $4 }')
    ((free > 50 * 1024)) || die "the build failed, for the disk is full; free 2 GiB in $repo and run this again"
    die "the build failed; the compiler's message is above"
}

# b_lundef=false: the sanitizer's symbols come from the program, not from the plugin. The checks left out guard every
# access to memory, which takes a quarter of the compiler's time, and the address sanitizer sees what goes wrong there.
# cpu_targets=native: the kernels for all instruction sets took another quarter.
use_sanitizers() {
    build=$repo/build-asan
    local left_out=null,alignment,vptr,object-size,pointer-overflow,nonnull-attribute,returns-nonnull-attribute
    build_options=(-Dcpu_targets=native -Doptimization=1 -Ddebug=true -Db_ndebug=false
        -Db_sanitize=address,undefined -Db_lundef=false
        "-Dcpp_args=-g1 -fno-omit-frame-pointer -fno-sanitize=$left_out -fno-sanitize-recover=undefined")
}

build_options=()

fetch() { "$python" "$repo/.dev/fetch.py" --cache "$cache" "$@"; }

parse_build() {
    targets=()
    while (($#)); do
        case $1 in
        --sanitize) use_sanitizers ;;
        -*) unknown build "$1" ;;
        *) targets+=("$1") ;;
        esac
        shift
    done
}

run_build() {
    build_targets "${targets[@]}"
    say "${build#"$repo"/} is up to date ($(elapsed))"
}

# --- Running -------------------------------------------------------------------------------------------------

parse_shell() {
    shell_command=()
    (($#)) || return 0
    [[ $1 == -- ]] || misuse "write -- before the command: ./dev shell -- $*"
    shift
    shell_command=("$@")
}

run_shell() {
    build_targets "${programs[@]}" "${embedding[@]}"
    fetch
    export_paths
    if ((${#shell_command[@]} == 0)); then
        say "a shell that finds the plugin, the sluice program and the models; leave it with exit"
        shell_command=("${SHELL:-/bin/bash}" -i)
        [[ -x ${shell_command[0]} ]] || shell_command=(/bin/bash -i)
    fi
    if ! type -P "${shell_command[0]}" >/dev/null; then
        printf "dev: error: there is no program '%s'; check its name, or add its package to .dev/packages.txt\n" "${shell_command[0]}" >&2
        exit 127
    fi
    exec "${shell_command[@]}"
}

parse_demo() {
    demo_arguments=()
    while (($#)); do
        case $1 in
        --seconds) needs_number "$@" && demo_arguments+=("$1" "$2") && shift ;;
        --output) needs_value "$@" && demo_arguments+=("$1" "$(realpath -m -- "$2")") && shift ;;
        *) unknown demo "$1" ;;
        esac
        shift
    done
}

run_demo() {
    build_targets "${programs[@]}"
    fetch
    export_paths
    "$python" "$repo/pipelines/examples/demo.py" --output "$repo/out" "${demo_arguments[@]}"
}

# --- Tests and benchmarks ------------------------------------------------------------------------------------

parse_test() {
    test_arguments=()
    while (($#)); do
        case $1 in
        --sanitize) use_sanitizers && test_arguments+=("$1") ;;
        --list | --dmabuf | --nightly) test_arguments+=("$1") ;;
        --jobs) needs_number "$@" && test_arguments+=("$1" "$2") && shift ;;
        --filter | --no-suite) needs_value "$@" && test_arguments+=("$1" "$2") && shift ;;
        *) unknown test "$1" ;;
        esac
        shift
    done
    [[ " ${test_arguments[*]} " != *' --dmabuf '* || " ${test_arguments[*]} " != *' --sanitize '* ]] ||
        misuse "test takes --dmabuf or --sanitize, not both: under the sanitizers the emulated machine would take an hour"
}

run_test() {
    local needed=()
    if [[ $build == */build-asan ]]; then
        # Only what runs there is worth the sanitizers' compile time. The plugin's build makes the list of tests.
        build_targets gst-plugins/libgstsluice.so
        mapfile -t needed < <("$python" "$repo/.dev/run_tests.py" --build "$build" --sanitize --executables)
    fi
    build_targets "${needed[@]}"
    fetch --for-tests
    export_paths
    exec "$python" "$repo/.dev/run_tests.py" --build "$build" "${test_arguments[@]}"
}

parse_bench() {
    benchmarks=() benchmark_arguments=()
    while (($#)); do
        case $1 in
        --) benchmark_arguments=("${@:2}") && break ;;
        -*) unknown bench "$1" ;;
        *) benchmarks+=("$1") ;;
        esac
        shift
    done
}

run_bench() {
    build_targets
    fetch --for-tests # ESRGAN, among others
    export_paths
    exec "$python" "$repo/.dev/run_tests.py" --build "$build" --benchmarks "${benchmarks[@]}" -- "${benchmark_arguments[@]}"
}

# --- Format and lint -----------------------------------------------------------------------------------------

existing_files() {
    local file
    for file in "$@"; do [[ -f $file ]] || misuse "there is no file '$file'"; done
}

all_sources() {
    (cd "$repo" && find core zero_copy models gst-plugins pipelines tests -name '*.cpp' -o -name '*.h') | sort
}

parse_format() {
    format_check=() format_files=()
    while (($#)); do
        case $1 in
        --check) format_check=(--dry-run -Werror) ;;
        -*) unknown format "$1" ;;
        *) format_files+=("$(realpath -m -- "$1")") ;;
        esac
        shift
    done
    existing_files "${format_files[@]}"
}

run_format() {
    cd "$repo"
    ((${#format_files[@]})) || mapfile -t format_files < <(all_sources)
    if ((${#format_check[@]} == 0)); then
        clang-format-19 -i "${format_files[@]}"
    elif clang-format-19 "${format_check[@]}" "${format_files[@]}"; then
        say "${#format_files[@]} files are formatted"
    else
        die "some files are not formatted; run: ./dev format"
    fi
}

parse_lint() {
    lint_all=false lint_files=()
    while (($#)); do
        case $1 in
        --all) lint_all=true ;;
        -*) unknown lint "$1" ;;
        *) lint_files+=("$(realpath -m -- "$1")") ;;
        esac
        shift
    done
    existing_files "${lint_files[@]}"
}

run_lint() {
    cd "$repo"
    build_targets # clang-tidy needs the generated headers
    local failed=0 rule
    (parse_format --check && run_format) || failed=1
    for rule in tests/lint/*.py; do
        say "checking $rule"
        "$python" "$rule" --build "$build" || failed=1
    done
    ((${#lint_files[@]})) || mapfile -t lint_files < <($lint_all && all_sources || changed_sources)
    tidy "${lint_files[@]}" || failed=1
    ((failed == 0)) || die "lint found what is listed above"
    say "lint is content ($(elapsed))"
}

# The sources that differ from the upstream branch, or, where none does, those of the last commit.
changed_sources() {
    local git=(git -c "safe.directory=$repo" -C "$repo") base changed
    base=$("${git[@]}" merge-base HEAD '@{upstream}' 2>/dev/null || "${git[@]}" rev-parse HEAD 2>/dev/null) || {
        all_sources
        return
    }
    changed=$("${git[@]}" diff --name-only --diff-filter=d "$base"; "${git[@]}" ls-files --others --exclude-standard)
    [[ -n $changed ]] || changed=$("${git[@]}" diff --name-only --diff-filter=d HEAD~1 2>/dev/null || true)
    grep -E '^(core|zero_copy|models|gst-plugins|pipelines|tests)/.*\.(cpp|h)$' <<<"$changed" || true
}

# Headers are checked with the sources that include them.
tidy() {
    local units=()
    mapfile -t units < <(printf '%s\n' "$@" | grep '\.cpp$' || true)
    ((${#units[@]})) || return 0
    say "clang-tidy on ${#units[@]} files"
    "$python" "$repo/.dev/tidy_database.py" "$build" "$build/tidy"
    printf '%s\0' "${units[@]}" | xargs -0 -P "$(nproc)" -n 1 clang-tidy-19 --quiet -p "$build/tidy"
}

# --- Cleaning ------------------------------------------------------------------------------------------------

parse_clean() {
    clean_all=false
    while (($#)); do
        case $1 in
        --all) clean_all=true ;;
        *) unknown clean "$1" ;;
        esac
        shift
    done
}

run_clean() {
    rm -rf --one-file-system "$repo"/{build,build-asan,out}
    say "removed build, build-asan and out"
    $clean_all && [[ -d $cache ]] || return 0
    [[ ! -e /$marker ]] || die "clean --all cannot remove the root that it runs in; leave this shell and run it again"
    lock_file 8 "$cache/root.lock" "making the Debian 13 root"
    remove_trees "$cache"/root-*.partial.*
    remove_old_roots ""
    compgen -G "$cache/root-*/" >/dev/null && die "another ./dev is running in the root; let it end and run this again"
    remove_trees "$cache"/*
    say "removed $cache"
}
