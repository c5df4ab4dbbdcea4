#!/usr/bin/env bash
# Builds wheel and sdist into dist/, tries the wheel in a clean environment of each PYTHON, and writes what goes with a
# release: notes, licences and an SBOM of what a plain installation brings.
# Usage: dist.sh TOOLS PYTHON...   (TOOLS: the bin folder of the environment dist.txt)
set -euo pipefail
tools=$(realpath "$1")
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

rm -rf dist
"$tools/python" -m build --installer uv . > "$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
"$tools/twine" check --strict dist/*
wheel=$(realpath dist/*.whl)
if "$tools/python" -c 'import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
[name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
print(wheel.read(name).decode())' "$wheel" | grep -nE '\]\(([^h#]|h[^t])|(src|href)="[^h#]'; then
  echo "these links and pictures of the description do not work on a package index" >&2
  exit 1
fi

for python in "$@"; do
  clean=$scratch/clean
  "$tools/uv" venv -q --clear --python "$python" "$clean"
  "$tools/uv" pip install -q --python "$clean/bin/python" "$wheel"
  "$tools/uv" pip check -q --python "$clean/bin/python"
  (cd "$scratch" && "$clean/bin/dagster-dailystory" --version && "$clean/bin/python" -I -m dagster_dailystory.demo > log) \
    || { cat "$scratch/log" >&2; exit 1; }
  echo "$("$clean/bin/python" --version): the wheel installs, and its demo runs"
done

"$tools/cyclonedx-py" environment --pyproject pyproject.toml --output-reproducible -o dist/sbom.cdx.json "$clean/bin/python"
"$tools/pip-licenses" --python "$clean/bin/python" --from=mixed --format=markdown --with-urls --output-file dist/licences.md
if grep -E '\|[^|]*\b(A?GPL|SSPL|UNKNOWN)\b' dist/licences.md | grep -v LGPL; then
  echo "these licences of dependencies do not go with Apache-2.0, or are not known" >&2
  exit 1
fi
awk '/^## /{ past = found; found = 1 } found && !past' CHANGELOG.md > dist/release-notes.md
ls dist
