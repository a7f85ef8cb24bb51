#!/usr/bin/env bash
# Checks the package as it would be published: its manifest, its types, and an installation of the
# packed file into an empty folder, from which the command line runs and the library is imported.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npx publint --strict
tarball=$work/$(npm pack --silent --pack-destination "$work")
npx attw --profile esm-only "$tarball"

mkdir "$work/user" && cd "$work/user"
npm init --yes >/dev/null
npm install --silent "$tarball"
cp "$root/scripts/package-smoke.mjs" smoke.mjs
node smoke.mjs
npx checkpoint-wal --version
npx checkpoint-wal machines --format svg --out pictures
grep -q 'id="write:syncingWal"' pictures/write.svg
printf 'status: ACTIVE # now\n' > plan.yaml
npx checkpoint-wal save plan.yaml --dir state
npx checkpoint-wal set status DONE --dir state
test "$(npx checkpoint-wal get status --dir state)" = DONE
grep -q '^status: DONE # now$' state/ORCHESTRATION.yaml
npx checkpoint-wal verify --dir state
npx checkpoint-wal audit verify --dir state
npx checkpoint-wal inspect --dir state --html run.html
grep -q '<script type="module">' run.html
npx checkpoint-wal status --dir state --json
node --input-type=module --eval "import { attachInspector } from 'checkpoint-wal/inspector'; if (typeof attachInspector !== 'function') process.exit(1);"
npm install --silent "@opentelemetry/api@$(node -p "require('$root/package.json').devDependencies['@opentelemetry/api']")"
node --input-type=module --eval "import { traceCheckpoints } from 'checkpoint-wal/otel'; traceCheckpoints()();"
echo "package: ok"
