# A developer's day. `just` lists it.

_default:
    @just --list --unsorted

# What CI runs: format, contracts, licences, lints, all tests, the page.
verify:
    .ci/run

# All tests, on SQLite and a throw-away PostgreSQL; arguments go to nextest: `just test -p minsheng-health`.
test *ARGS:
    tests/run {{ARGS}}

# The quick half, while writing: one crate on SQLite.
quick CRATE *ARGS:
    cargo nextest run -p {{CRATE}} {{ARGS}}

# Lints as CI sees them.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    tests/contracts

# Formats.
fmt:
    cargo fmt --all

# What follows from the declarations of registers, after a change of `proto/`.
gen:
    cargo run --quiet -p minsheng-gen

# Takes the present output of reports as the new golden files; look at the difference before committing it.
accept:
    MINSHENG_ACCEPT=1 cargo nextest run -p minsheng-analytics report
    git diff --stat -- analytics/src/report/golden

# From nothing to the scoreboard.
demo *ARGS:
    cargo run -- demo {{ARGS}}

# Looks at a report's page in a browser; pictures go to target/page.
page REPORT="minsheng-data/report":
    tests/page {{REPORT}} target/page

# The suite in containers.
up:
    docker compose up --build --wait

# Stops the containers; records stay.
down:
    docker compose down

# The table of ratios of docs/PERFORMANCE.md, optimised.
bench *ARGS:
    cargo run --release -- bench {{ARGS}}

# What changed since another build, run in turns with this one: `just bench-compare target/minsheng-before --only writes`.
bench-compare BINARY *ARGS:
    cargo run --release -- bench --compare {{BINARY}} {{ARGS}}

# The table's durable writes as on a disk whose flush takes so many microseconds longer.
bench-slow-flush MICROSECONDS="2000":
    cargo build --release
    cc -shared -fPIC -O2 -o target/slow-flush.so tests/slow-flush.c -ldl
    SLOW_FLUSH_US={{MICROSECONDS}} LD_PRELOAD=target/slow-flush.so target/release/minsheng bench --only writes

# Long campaigns in their full form: kill loops, large lakes.
soak:
    MINSHENG_SOAK=1 tests/run
